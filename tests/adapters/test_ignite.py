"""Ignite's own engines, watched."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional
from watched import TRAIN, VALID, curves, left_behind, loader, network, same

pytest.importorskip("ignite", reason="Ignite is not installed: pip install liebig[ignite]")

from ignite.engine import Engine, Events, create_supervised_evaluator, create_supervised_trainer
from ignite.metrics import Accuracy, Loss

from liebig.watch.adapters.ignite import IgniteWatch


class Training:
    """A trainer and an evaluator as Ignite's first example makes them."""

    def __init__(self, rate: float = 0.05) -> None:
        self.model = network()
        self.optimizer = torch.optim.SGD(self.model.parameters(), rate)
        self.trainer = create_supervised_trainer(self.model, self.optimizer, functional.cross_entropy)
        metrics = {"loss": Loss(functional.cross_entropy), "accuracy": Accuracy()}
        self.evaluator = create_supervised_evaluator(self.model, metrics)
        self.trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: self.evaluator.run(loader(VALID)))

    def watched(self, *, quiet: bool = True) -> IgniteWatch:
        watch = IgniteWatch(self.model, self.optimizer, quiet=quiet)
        watch.attach(self.trainer, evaluator=self.evaluator)
        return watch

    def run(self, epochs: int = 4) -> None:
        torch.manual_seed(1)
        self.trainer.run(loader(TRAIN), max_epochs=epochs)


def test_each_epoch_is_logged_and_the_diagnosis_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    training = Training()
    watch = training.watched(quiet=False)
    training.run()
    seen = curves(watch)
    assert len(seen.train_loss) == len(seen.stop_loss) == 4
    assert seen.train_loss[-1] < seen.train_loss[0]
    assert seen.stop_loss[-1] == pytest.approx(training.evaluator.state.metrics["loss"])
    assert seen.stop_metric[-1] == pytest.approx(training.evaluator.state.metrics["accuracy"])
    assert watch.diagnosis is not None
    assert capsys.readouterr().out.count(str(watch.diagnosis)) == 1


def test_a_watched_run_ends_with_the_same_weights_and_without_hooks() -> None:
    plain, watched = Training(), Training()
    watched.watched()
    plain.run()
    watched.run()
    assert same(plain.model, watched.model)
    assert left_behind(watched.model, watched.optimizer) == []


def test_the_rate_is_found_too_high() -> None:
    training = Training(rate=300.0)
    watch = training.watched()
    training.run()
    assert watch.diagnosis is not None
    assert watch.diagnosis.findings[0].check.name == "learning-rate-too-high"


@pytest.mark.parametrize("skipped", [False, True])
def test_terminate_ends_the_watch(skipped: bool) -> None:
    training = Training()
    watch = training.watched()
    training.trainer.add_event_handler(
        Events.EPOCH_COMPLETED(once=2), lambda: training.trainer.terminate(skip_completed=skipped)
    )
    training.run(epochs=50)
    assert len(curves(watch).train_loss) == 2
    assert watch.diagnosis is not None
    assert left_behind(training.model, training.optimizer) == []


def _fails(engine: Engine) -> None:
    if engine.state.iteration == 8:
        raise RuntimeError("a file is missing")


def test_an_exception_ends_the_watch_and_comes_through() -> None:
    training = Training()
    watch = training.watched()
    training.trainer.add_event_handler(Events.ITERATION_STARTED, _fails)
    with pytest.raises(RuntimeError, match="a file is missing"):
        training.run()
    assert watch.diagnosis is not None
    assert left_behind(training.model, training.optimizer) == []


def test_a_handler_of_exceptions_that_the_user_has_still_decides() -> None:
    training = Training()
    watch = training.watched()
    caught: list[BaseException] = []
    training.trainer.add_event_handler(Events.ITERATION_STARTED, _fails)
    training.trainer.add_event_handler(Events.EXCEPTION_RAISED, lambda engine, error: caught.append(error))
    training.run()
    assert [str(each) for each in caught] == ["a file is missing"]
    assert watch.diagnosis is not None


def test_a_second_run_is_watched_anew_and_a_detached_one_is_not() -> None:
    training = Training()
    watch = training.watched()
    training.run(epochs=2)
    first = watch.diagnosis
    training.run(epochs=2)
    second = watch.diagnosis
    assert second is not first
    watch.detach()
    training.run(epochs=2)
    assert watch.diagnosis is second


@pytest.mark.parametrize("shape", ["number", "tensor", "dict", "tuple", "nothing"])
def test_the_loss_is_found_in_what_the_update_returns(shape: str) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)

    def update(engine: Engine, batch: tuple[torch.Tensor, torch.Tensor]) -> object:
        optimizer.zero_grad()
        answers = model(batch[0])
        loss = functional.cross_entropy(answers, batch[1])
        loss.backward()
        optimizer.step()
        shapes = {"number": loss.item(), "tensor": loss, "dict": {"loss": loss}, "tuple": (loss, answers)}
        return shapes.get(shape)

    trainer, watch = Engine(update), IgniteWatch(model, optimizer, quiet=True)
    Accuracy(output_transform=lambda _: (torch.ones(4, dtype=torch.long), torch.ones(4, dtype=torch.long))).attach(
        trainer, "acc"
    )
    watch.attach(trainer)
    trainer.run(loader(TRAIN), max_epochs=2)
    seen = curves(watch)
    assert [value == value for value in seen.train_loss] == [shape != "nothing"] * 2
    assert seen.train_metric == (1.0, 1.0)
