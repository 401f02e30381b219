"""skorch's own nets, watched."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn
from watched import TRAIN, curves, left_behind, network, same

pytest.importorskip("skorch", reason="skorch is not installed: pip install liebig[skorch]")

from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping, EpochScoring

from liebig.watch.adapters.skorch import SkorchWatch

NUMBERS, CLASSES = (tensor.numpy() for tensor in TRAIN.tensors)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = network()

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.layers(X)


def net(*callbacks: Callback, rate: float = 0.05, epochs: int = 4) -> NeuralNetClassifier:
    torch.manual_seed(1)
    return NeuralNetClassifier(
        Net,
        criterion=nn.CrossEntropyLoss,
        lr=rate,
        batch_size=16,
        max_epochs=epochs,
        callbacks=list(callbacks),
        verbose=0,
    )


def test_each_epoch_is_logged_and_the_diagnosis_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    watch = SkorchWatch()
    fitted = net(watch).fit(NUMBERS, CLASSES)
    seen = curves(watch)
    assert seen.train_loss == pytest.approx(fitted.history[:, "train_loss"])
    assert seen.stop_loss == pytest.approx(fitted.history[:, "valid_loss"])
    assert seen.stop_metric == pytest.approx(fitted.history[:, "valid_acc"])
    assert watch.diagnosis is not None
    assert capsys.readouterr().out.count(str(watch.diagnosis)) == 1


def test_scores_of_callbacks_that_come_later_are_logged_too() -> None:
    watch = SkorchWatch(quiet=True)
    fitted = net(watch, EpochScoring("accuracy", name="train_acc", on_train=True)).fit(NUMBERS, CLASSES)
    assert curves(watch).train_metric == pytest.approx(fitted.history[:, "train_acc"])


def test_a_watched_run_ends_with_the_same_weights_and_without_hooks() -> None:
    plain = net().fit(NUMBERS, CLASSES)
    watched = net(SkorchWatch(quiet=True)).fit(NUMBERS, CLASSES)
    assert same(watched.module_, plain.module_)
    assert left_behind(watched.module_, watched.optimizer_) == []


def test_the_rate_is_found_too_high() -> None:
    watch = SkorchWatch(quiet=True)
    net(watch, rate=300.0).fit(NUMBERS, CLASSES)
    assert watch.diagnosis is not None
    assert watch.diagnosis.findings[0].check.name == "learning-rate-too-high"


def test_early_stopping_ends_the_watch() -> None:
    watch = SkorchWatch(quiet=True)
    fitted = net(watch, EarlyStopping(patience=2), rate=1e-12, epochs=50).fit(NUMBERS, CLASSES)
    assert len(curves(watch).train_loss) == len(fitted.history) < 50
    assert left_behind(fitted.module_, fitted.optimizer_) == []


class Failing(Callback):
    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def on_batch_end(self, net: NeuralNetClassifier, **kwargs: Any) -> None:
        if len(net.history) == 2:
            raise self.error("a file is missing")


def test_control_c_ends_the_watch() -> None:
    watch = SkorchWatch(quiet=True)
    fitted = net(watch, Failing(KeyboardInterrupt)).fit(NUMBERS, CLASSES)
    assert watch.diagnosis is not None
    assert left_behind(fitted.module_, fitted.optimizer_) == []


def test_an_exception_ends_the_watch_of_a_with_block_and_the_next_fit_begins_anew() -> None:
    with SkorchWatch(quiet=True) as watch:
        broken = net(watch, Failing(RuntimeError))
        with pytest.raises(RuntimeError, match="a file is missing"):
            broken.fit(NUMBERS, CLASSES)
    assert left_behind(broken.module_, broken.optimizer_) == []
    net(watch).fit(NUMBERS, CLASSES)
    assert len(curves(watch).train_loss) == 4


def test_a_warm_start_is_a_training_of_its_own() -> None:
    watch = SkorchWatch(quiet=True)
    fitted = net(watch).fit(NUMBERS, CLASSES)
    fitted.partial_fit(NUMBERS, CLASSES)
    assert len(fitted.history) == 8
    assert len(curves(watch).train_loss) == 4


def test_nets_are_cloned_searched_and_pickled_with_it() -> None:
    watch = SkorchWatch(quiet=True)
    fitted = net(watch).fit(NUMBERS, CLASSES)
    again = pickle.loads(pickle.dumps(fitted))
    kept = dict(again.callbacks_)["SkorchWatch"]
    assert kept.watch is None
    assert str(kept.diagnosis) == str(watch.diagnosis)
    assert clone(fitted).get_params()["callbacks"][0].quiet
    search = GridSearchCV(net(SkorchWatch(quiet=True), epochs=1), {"lr": [0.01, 0.1]}, cv=2, refit=False)
    search.fit(NUMBERS, CLASSES)


def test_data_given_are_probed() -> None:
    watch = SkorchWatch(quiet=True, train=TRAIN, loss=nn.functional.cross_entropy)
    fitted = net(watch).fit(NUMBERS, CLASSES)
    assert watch.diagnosis is not None
    assert left_behind(fitted.module_, fitted.optimizer_) == []
