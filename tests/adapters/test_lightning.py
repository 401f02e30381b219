"""Lightning's own Trainer, watched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from watched import TRAIN, VALID, curves, left_behind, loader, network, same

pytest.importorskip("lightning", reason="Lightning is not installed: pip install liebig[lightning]")

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping

from liebig.watch.adapters.lightning import LightningWatch

pytestmark = [
    # said by Lightning and by torch of themselves
    pytest.mark.filterwarnings("ignore:.*does not have many workers:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*smaller than the logging interval:UserWarning"),
]


class Module(LightningModule):
    """As a user writes it: `forward` is never called, the layers lie in a child."""

    def __init__(self, rate: float = 0.05) -> None:
        super().__init__()
        self.net = network()
        self.rate = rate

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        numbers, classes = batch
        loss = functional.cross_entropy(self.net(numbers), classes)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        numbers, classes = batch
        answers = self.net(numbers)
        self.log("val_loss", functional.cross_entropy(answers, classes))
        self.log("val_acc", (answers.argmax(1) == classes).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), self.rate)


@pytest.fixture(autouse=True)
def _global_state() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def fitted(module: LightningModule, *callbacks: Callback, epochs: int = 4, **options: Any) -> Trainer:
    torch.manual_seed(1)
    trainer = Trainer(
        max_epochs=epochs,
        callbacks=list(callbacks),
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
    trainer.fit(module, loader(TRAIN), loader(VALID))
    return trainer


def test_each_epoch_is_logged_and_the_diagnosis_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    module, watch = Module(), LightningWatch()
    trainer = fitted(module, watch)
    seen = curves(watch)
    assert len(seen.train_loss) == len(seen.stop_loss) == len(seen.stop_metric) == 4
    assert seen.train_loss[-1] < seen.train_loss[0]
    assert seen.stop_loss[-1] == pytest.approx(float(trainer.callback_metrics["val_loss"]))
    assert seen.stop_metric[-1] == pytest.approx(float(trainer.callback_metrics["val_acc"]))
    assert watch.diagnosis is not None
    assert capsys.readouterr().out.count(str(watch.diagnosis)) == 1


def test_a_watched_run_ends_with_the_same_weights_and_without_hooks() -> None:
    module, plain = Module(), Module()
    fitted(plain)
    trainer = fitted(module, LightningWatch(quiet=True))
    assert same(module, plain)
    assert left_behind(module, *trainer.optimizers) == []


def test_the_rate_is_found_too_high() -> None:
    watch = LightningWatch(quiet=True)
    fitted(Module(rate=300.0), watch)
    assert watch.diagnosis is not None
    assert watch.diagnosis.findings[0].check.name == "learning-rate-too-high"


def test_the_training_loss_is_the_mean_over_the_epoch_with_accumulation_too() -> None:
    seen = []
    for accumulated in (1, 3):
        module, watch = Module(rate=0.0), LightningWatch(quiet=True)
        module.net[2] = nn.Dropout(0.0)
        fitted(module, watch, epochs=1, accumulate_grad_batches=accumulated)
        seen.append(curves(watch).train_loss[0])
    assert seen[0] == pytest.approx(seen[1])


def test_validation_that_was_not_made_in_an_epoch_is_not_logged_again() -> None:
    watch = LightningWatch(quiet=True)
    fitted(Module(), watch, epochs=6, check_val_every_n_epoch=3)
    assert len(curves(watch).stop_loss) == 2


def test_early_stopping_ends_the_watch() -> None:
    module, watch = Module(rate=0.0), LightningWatch(quiet=True)
    trainer = fitted(module, EarlyStopping("val_loss", patience=1), watch, epochs=50)
    assert len(curves(watch).train_loss) == 2
    assert watch.diagnosis is not None
    assert left_behind(module, *trainer.optimizers) == []


class Failing(Module):
    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        if self.trainer.global_step == 3:
            raise RuntimeError("a file is missing")
        return super().training_step(batch, index)


def test_an_exception_ends_the_watch_and_comes_through() -> None:
    module, watch = Failing(), LightningWatch(quiet=True)
    with pytest.raises(RuntimeError, match="a file is missing"):
        fitted(module, watch)
    assert left_behind(module) == []
    assert watch.diagnosis is not None


class TwoOptimizers(Module):
    """Manual optimisation, as adversarial networks are trained."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        numbers, classes = batch
        for optimizer in self.optimizers():
            optimizer.zero_grad()
            self.manual_backward(functional.cross_entropy(self.net(numbers), classes))
            optimizer.step()

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        return [torch.optim.SGD(self.net[0].parameters(), 0.05), torch.optim.Adam(self.net[3].parameters(), 0.01)]


def test_several_optimizers_by_hand() -> None:
    module, watch = TwoOptimizers(), LightningWatch(quiet=True)
    trainer = fitted(module, watch)
    assert watch.diagnosis is not None
    assert [each.check.name for each in watch.diagnosis.warnings if each.check.name != "still-improving"] == []
    assert left_behind(module, *trainer.optimizers) == []


def test_a_second_fit_is_watched_anew() -> None:
    module, watch = Module(), LightningWatch(quiet=True)
    fitted(module, watch, epochs=2)
    first = watch.diagnosis
    fitted(module, watch, epochs=3)
    assert watch.diagnosis is not first
    assert len(curves(watch).train_loss) == 3


def test_the_package_of_the_older_name_takes_it_too() -> None:
    older = pytest.importorskip("pytorch_lightning")

    class Older(older.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        training_step = Module.training_step
        configure_optimizers = lambda self: torch.optim.SGD(self.parameters(), 0.05)  # noqa: E731

    watch = LightningWatch(quiet=True)
    older.Trainer(
        max_epochs=2,
        callbacks=[watch],
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    ).fit(Older(), loader(TRAIN))
    assert watch.diagnosis is not None
    assert len(curves(watch).train_loss) == 2
