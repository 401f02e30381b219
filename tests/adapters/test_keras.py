"""Keras 3's own `fit` on the torch backend, watched."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
import torch
from watched import TRAIN, VALID, curves, left_behind

os.environ["KERAS_BACKEND"] = "torch"  # read once, when keras is imported
pytest.importorskip("keras", reason="Keras is not installed: pip install liebig[keras]")

import keras

from liebig.core.errors import UserError
from liebig.core.evidence import GradientNorms, UpdateRatios
from liebig.watch.adapters.keras import KerasWatch

X, Y = (tensor.numpy() for tensor in TRAIN.tensors)
HELD_OUT = tuple(tensor.numpy() for tensor in VALID.tensors)


def sequential() -> keras.Model:
    return keras.Sequential(
        [
            keras.layers.Input((8,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(2),
        ]
    )


def functional() -> keras.Model:
    numbers = keras.layers.Input((8,))
    hidden = keras.layers.Dense(16, activation="tanh")(numbers)
    return keras.Model(numbers, keras.layers.Dense(2)(keras.layers.Dropout(0.1)(hidden)))


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.first = keras.layers.Dense(16, activation="relu")
        self.last = keras.layers.Dense(2)

    def call(self, numbers: Any) -> Any:
        return self.last(self.first(numbers))


class TorchInside(keras.Model):
    """A layer of torch's in a network of Keras's."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(8, 16)
        self.last = keras.layers.Dense(2)

    def call(self, numbers: Any) -> Any:
        return self.last(torch.relu(self.first(numbers)))


NETWORKS = pytest.mark.parametrize(
    "build", [sequential, functional, Subclassed, TorchInside], ids=lambda each: each.__name__
)


def compiled(build: Callable[[], keras.Model] = sequential, optimizer: Any = None) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = build()
    model.compile(
        optimizer or keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def fitted(model: keras.Model, *callbacks: keras.callbacks.Callback, epochs: int = 4) -> dict[str, list[float]]:
    keras.utils.set_random_seed(1)
    return model.fit(
        X, Y, batch_size=16, epochs=epochs, validation_data=HELD_OUT, verbose=0, callbacks=list(callbacks)
    ).history


@NETWORKS
def test_each_epoch_is_logged_and_the_diagnosis_is_printed_once(
    build: Callable[[], keras.Model], capsys: pytest.CaptureFixture[str]
) -> None:
    watch = KerasWatch()
    history = fitted(compiled(build), watch)
    seen = curves(watch)
    assert seen.train_loss == pytest.approx(history["loss"])
    assert seen.train_metric == pytest.approx(history["accuracy"])
    assert seen.stop_loss == pytest.approx(history["val_loss"])
    assert seen.stop_metric == pytest.approx(history["val_accuracy"])
    assert watch.diagnosis is not None
    assert {each.check.name for each in watch.diagnosis.warnings} <= {"still-improving"}
    assert capsys.readouterr().out.count(str(watch.diagnosis)) == 1


@NETWORKS
def test_layers_are_seen_by_their_names(build: Callable[[], keras.Model]) -> None:
    watch = KerasWatch(quiet=True)
    model = compiled(build)
    fitted(model, watch)
    assert watch.watch is not None
    gradients, updates = watch.watch.evidence.get(GradientNorms), watch.watch.evidence.get(UpdateRatios)
    assert gradients is not None
    assert updates is not None
    names = [layer.name for layer in model.layers if any(each.ndim > 1 for each in layer.trainable_weights)]
    assert all(any(name in seen for seen in gradients.layers) for name in names), (names, gradients.layers)
    assert all(ratio > 0 for look in updates.ratios for ratio in look)


@NETWORKS
def test_a_watched_run_ends_with_the_same_weights_and_without_hooks(build: Callable[[], keras.Model]) -> None:
    plain, watched = compiled(build), compiled(build)
    before = set(vars(watched.optimizer))
    fitted(plain)
    fitted(watched, KerasWatch(quiet=True))
    assert all((a == b).all() for a, b in zip(plain.get_weights(), watched.get_weights(), strict=True))
    assert left_behind(watched) == []
    assert "apply" not in set(vars(watched.optimizer)) - before


def test_the_rate_is_found_too_high() -> None:
    watch = KerasWatch(quiet=True)
    fitted(compiled(optimizer=keras.optimizers.SGD(300.0)), watch)
    assert watch.diagnosis is not None
    assert watch.diagnosis.findings[0].check.name == "learning-rate-too-high"


def test_early_stopping_ends_the_watch() -> None:
    watch, model = KerasWatch(quiet=True), compiled(optimizer=keras.optimizers.SGD(0.0))
    history = fitted(model, keras.callbacks.EarlyStopping(patience=1), watch, epochs=50)
    assert len(curves(watch).train_loss) == len(history["loss"]) < 50
    assert left_behind(model) == []


class Failing(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == 1:
            raise RuntimeError("a file is missing")


def test_an_exception_ends_the_watch_of_a_with_block() -> None:
    model = compiled()
    with pytest.raises(RuntimeError, match="a file is missing"), KerasWatch(quiet=True) as watch:
        fitted(model, watch, Failing())
    assert left_behind(model) == []
    assert "apply" not in vars(model.optimizer)


def test_a_second_fit_is_watched_anew() -> None:
    watch, model = KerasWatch(quiet=True), compiled()
    fitted(model, watch, epochs=2)
    first = watch.diagnosis
    fitted(model, watch, epochs=3)
    assert watch.diagnosis is not first
    assert len(curves(watch).train_loss) == 3


def test_a_schedule_of_kerass_is_followed() -> None:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=6, decay_rate=0.5)
    watch = KerasWatch(quiet=True)
    fitted(compiled(optimizer=keras.optimizers.SGD(schedule)), watch)
    rates = curves(watch).rates
    assert rates[-1] < 0.2 * rates[0]


def test_another_backend_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UserError, match="torch backend"):
        KerasWatch().on_train_begin()
