"""The seeded faults: each with its healthy twin and the answers that are accepted as its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor, nn

from fault_benchmark import data as d
from fault_benchmark import networks as n
from fault_benchmark import setup as s
from fault_benchmark.data import Data
from fault_benchmark.setup import Setup


@dataclass(frozen=True)
class Fault:
    """`visible`: it can be seen from the first steps on. `repairable`: Liebig itself may mend it. `machine`: it costs time
    or memory and not score. `recipe`: arguments of `liebig fit --set` that express it on the same rows as a table; () where no recipe can."""

    sick: Setup
    twin: Setup
    accepted: frozenset[str]
    visible: bool = True
    repairable: bool = False
    machine: bool = False
    recipe: tuple[str, ...] = ()


def _fault(sick: Setup, twin: Setup, *accepted: str, visible: bool = True, repairable: bool = True,
           machine: bool = False, recipe: tuple[str, ...] = ()) -> Fault:  # fmt: skip
    return Fault(sick, twin, frozenset(accepted), visible, repairable, machine, recipe)


def _told(sick: Setup, twin: Setup, *accepted: str, visible: bool = True, machine: bool = False,
          recipe: tuple[str, ...] = ()) -> Fault:  # fmt: skip
    """A fault in code or data that is told, and not mended."""
    return Fault(sick, twin, frozenset(accepted), visible, False, machine, recipe)


def _print_all(loss: Tensor, network: nn.Module) -> None:
    print(f"loss {loss.item():.4f}")
    for name, parameter in network.named_parameters():
        gradient = parameter.grad.norm().item() if parameter.grad is not None else 0.0
        print(f"{name}: {parameter.mean().item():.4f} +- {parameter.std().item():.4f}, gradient {gradient:.4f}")


def _turned(x: Tensor) -> Tensor:
    """Half a turn, or mirrored, at random; and a large shift that wraps round."""
    pictures = x.reshape(-1, 8, 8)
    choice = torch.randint(0, 4, (len(pictures), 1, 1))
    pictures = torch.where(choice == 1, pictures.flip(2), pictures)
    pictures = torch.where(choice == 2, pictures.flip(1), pictures)
    pictures = torch.where(choice == 3, pictures.flip(1, 2), pictures)
    shift = int(torch.randint(-3, 4, ()))
    return pictures.roll(shift, 2).reshape(x.shape)


_DIGITS: Final = Setup()
_SGD: Final = replace(_DIGITS, optimizer=s.sgd(0.1))
_CIRCLES: Final = Setup(data=Data("circles", (d.standardised,)), epochs=30)
_CANCER: Final = Setup(data=Data("cancer", (d.standardised,)), epochs=15)
_DIABETES: Final = Setup(
    data=Data("diabetes", (d.standardised, d.standard_targets, d.targets_as_columns)), loss=s.squares, epochs=20,
    build=n.mlp(32),
)  # fmt: skip
_BN: Final = replace(_DIGITS, build=n.mlp(64, 64, norm=nn.BatchNorm1d))
_SHADES: Final = Setup(data=Data("pixels"), build=n.shades(True), loss=s.over_places, epochs=6, optimizer=s.adam(3e-3))


def _digits(*edits: d.Edit) -> Data:
    return Data("digits", (d.standardised, *edits))


FAULTS: Final[Mapping[str, Fault]] = {
    "V1": _fault(replace(_DIGITS, build=n.mlp(*(32,) * 11, activation=nn.Sigmoid), epochs=10), _DIGITS,
                 "vanishing-gradient",
                 recipe=("network.depth=11", "network.width=32", "network.activation=sigmoid")),
    "V2": _fault(replace(_DIGITS, build=n.mlp(*(16,) * 16, start=n.uniform(0.05)), epochs=10), _DIGITS,
                 "poor-initialisation", "vanishing-gradient"),
    "L1": _fault(replace(_DIGITS, optimizer=s.adam(0.3)), _DIGITS, "learning-rate-too-high",
                 recipe=("optimizer.learning_rate=0.3",)),
    "L2": _fault(replace(_DIGITS, optimizer=s.sgd(3.0)), _SGD, "learning-rate-too-high",
                 recipe=("optimizer=sgd", "optimizer.learning_rate=3.0")),
    "L3": _fault(replace(_DIGITS, optimizer=s.sgd(1.0, 0.9)), replace(_DIGITS, optimizer=s.sgd(0.05, 0.9)),
                 "learning-rate-too-high",
                 recipe=("optimizer=momentum", "optimizer.learning_rate=1.0")),
    "L4": _fault(replace(_DIGITS, optimizer=s.adam(1e-6)), _DIGITS, "learning-rate-too-low",
                 recipe=("optimizer.learning_rate=1e-6",)),
    "L5": _fault(replace(_DIGITS, optimizer=s.sgd(1e-4)), _SGD, "learning-rate-too-low",
                 recipe=("optimizer=sgd", "optimizer.learning_rate=1e-4")),
    "D1": _fault(replace(_DIGITS, build=n.hidden_bias(-5.0)), _DIGITS, "dead-units", "poor-initialisation"),
    "Z1": _fault(replace(_DIGITS, build=n.mlp(64, 64, 64, start=n.constant(0.0))), _DIGITS, "poor-initialisation",
                 recipe=("network.depth=3", "techniques.zero=on")),
    "Z2": _fault(replace(_DIGITS, build=n.mlp(64, 64, 64, start=n.constant(0.01))), _DIGITS, "poor-initialisation"),
    "S1": _fault(replace(_DIGITS, build=n.mlp(64, 64, 64, activation=nn.Tanh, start=n.normal(3.0))), _DIGITS,
                 "saturated-units", "poor-initialisation"),
    "X1": _fault(replace(_CIRCLES, build=n.mlp(*(8,) * 8, activation=n.Exponential), optimizer=s.sgd(0.1), epochs=5),
                 _CIRCLES, "exploding-gradient", "non-finite"),
    "X2": _fault(replace(_DIGITS, build=n.mlp(*(32,) * 8, start=n.normal(3.0)), optimizer=s.sgd(0.1), epochs=5), _SGD,
                 "exploding-gradient", "non-finite", "poor-initialisation"),
    "U1": _fault(replace(_SGD, data=Data("digits", (d.times(255.0),))), _SGD, "unscaled-inputs",
                 recipe=("optimizer=sgd", "optimizer.learning_rate=0.1")),
    "U2": _fault(replace(_CANCER, data=Data("cancer"), optimizer=s.sgd(0.05)), _CANCER, "unscaled-inputs",
                 recipe=("optimizer=sgd", "optimizer.learning_rate=0.05")),
    "U3": _fault(replace(_CANCER, data=Data("cancer"), optimizer=s.sgd(1.0)), _CANCER,
                 "unscaled-inputs", "learning-rate-too-high",
                 recipe=("optimizer=sgd", "optimizer.learning_rate=1.0")),
    "A1": _fault(replace(_DIGITS, loss=s.softmax_first), _DIGITS, "loss-output-mismatch", visible=False),
    "A2": _fault(replace(_DIGITS, build=n.mlp(64, 64, last=lambda: nn.Softmax(dim=1)), loss=s.squares_of_classes,
                         optimizer=s.sgd(0.05)), _SGD, "loss-output-mismatch"),
    "G1": _told(replace(_SGD, clears=False), _SGD, "gradients-not-cleared"),
    "N1": _fault(replace(_DIGITS, data=_digits(d.random_labels(0.4)), epochs=40), _DIGITS, "label-noise", visible=False,
                 recipe=("network.depth=2",)),
    "N2": _told(replace(_DIGITS, data=_digits(d.shuffled_apart), epochs=40), _DIGITS, "misaligned-labels"),
    "O1": _fault(replace(_DIGITS, data=_digits(d.first_rows(100)), build=n.mlp(256, 256), epochs=80), _DIGITS,
                 "overfitting", "too-little-data", visible=False,
                 recipe=("network.width=256",)),
    "C1": _fault(replace(_DIGITS, build=n.mlp(2), epochs=15), _DIGITS, "underfitting",
                 recipe=("network.depth=1", "network.width=2")),
    "C2": _fault(replace(_CIRCLES, build=n.mlp(16, 16, activation=nn.Identity)), _CIRCLES,
                 "missing-nonlinearity", "underfitting",
                 recipe=("network.activation=identity", "network.width=16")),
    "R1": _fault(replace(_DIGITS, optimizer=s.sgd(0.1, decay=0.3)), _SGD, "over-regularised", visible=False,
                 recipe=("optimizer=sgd", "optimizer.learning_rate=0.1", "optimizer.weight_decay=0.3")),
    "E1": _told(replace(_DIGITS, build=n.mlp(64, 64, norm=nn.BatchNorm1d, dropout=0.5), evaluates=False),
                replace(_DIGITS, build=n.mlp(64, 64, norm=nn.BatchNorm1d, dropout=0.5)), "missing-eval-mode"),
    "B1": _fault(replace(_BN, batch=2, epochs=4), _BN, "tiny-batch-normalisation",
                 recipe=("network.normalisation=batch", "batching.size=2")),
    "I1": _fault(replace(_DIGITS, data=_digits(d.rare_class(0.01, 8))), _DIGITS, "class-imbalance", visible=False,
                 recipe=("network.depth=2",)),
    "F1": _told(replace(_DIGITS, build=n.frozen_but_last(n.mlp(*(32,) * 6))), replace(_DIGITS, build=n.mlp(*(32,) * 6, start=n.he)),
                "untrained-parameters"),
    "F1b": _told(replace(_DIGITS, optimizer=s.of_another_network), _DIGITS, "untrained-parameters"),
    "F1c": _told(replace(_DIGITS, build=n.mlp(*(32,) * 6), optimizer=s.of_the_last_layer),
                 replace(_DIGITS, build=n.mlp(*(32,) * 6, start=n.he)), "untrained-parameters"),
    "K1": _told(replace(_DIGITS, data=_digits(d.valid_from_train)), _DIGITS, "leakage", visible=False),
    "T1": _told(replace(_DIGITS, data=_digits(d.first_rows(256)), epochs=2, slow=0.005),
                replace(_DIGITS, data=_digits(d.first_rows(256)), epochs=2), "loader-bound", machine=True),
    "T2": _told(replace(_DIGITS, each_step=_print_all), _DIGITS, "host-sync", machine=True),
    "W1": _told(replace(_DIABETES, data=Data("diabetes", (d.standardised, d.standard_targets))), _DIABETES,
                "loss-broadcast"),
    "M1": _told(replace(_SHADES, build=n.shades(False)), _SHADES, "causal-leak"),
    "H1": _fault(replace(_DIGITS, batch=128, epochs=2), replace(_DIGITS, batch=128, epochs=40), "still-improving",
                 visible=False,
                 recipe=("batching.size=128",)),
    "P1": _fault(replace(_DIABETES, optimizer=s.sgd(1e-2),
                         data=Data("diabetes", (d.standardised, d.standard_targets, d.targets_as_columns, d.targets_times(1e6)))),
                 replace(_DIABETES, optimizer=s.sgd(1e-2)), "unscaled-targets",
                 recipe=("network.depth=1", "network.width=32", "optimizer=sgd", "optimizer.learning_rate=0.01")),
    "Q1": _told(replace(_DIGITS, build=n.mlp(64, 64, norm=nn.BatchNorm1d, dropout=0.3), trains=False),
                replace(_DIGITS, build=n.mlp(64, 64, norm=nn.BatchNorm1d, dropout=0.3)), "missing-train-mode"),
    # One for each check without a row in the list of faults.
    # The rate is right for the first epochs, and its twin begins with the same: it is not too high, it is kept too long.
    "learning-rate-not-decayed": _told(
        replace(_DIABETES, optimizer=s.sgd(0.03), batch=2, epochs=15),
        replace(_DIABETES, optimizer=s.sgd(0.03), batch=2, epochs=15, schedule=s.cosine),
        "learning-rate-not-decayed", "oscillating-loss", visible=False,
                 recipe=("network.depth=1", "network.width=32", "optimizer=sgd", "optimizer.learning_rate=0.03", "batching.size=2")),
    # The twin differs in the rate alone, so a rate that is too high is the mechanism itself.
    "oscillating-loss": _told(replace(_DIGITS, optimizer=s.sgd(0.2, 0.9)), replace(_DIGITS, optimizer=s.sgd(0.02, 0.9)),
                              "oscillating-loss", "learning-rate-too-high",
                 recipe=("optimizer=momentum", "optimizer.learning_rate=0.2")),
    "not-learning": _told(replace(_DIGITS, data=Data("digits", (d.divided_as_integers,))), _DIGITS,
                          "not-learning", "bad-features"),
    "trained-too-long": _told(
        replace(_DIABETES, build=n.mlp(128, 128), epochs=150),
        replace(_DIABETES, build=n.mlp(128, 128), epochs=150, patience=10), "trained-too-long", "overfitting", visible=False,
                 recipe=("network.width=128",)),
    "batch-size": _told(replace(_DIGITS, batch=2000, epochs=15), _DIGITS, "batch-size", "still-improving", visible=False,
                 recipe=("batching.size=2000",)),
    "shifted-parts": _told(replace(_DIGITS, data=Data("digits", (d.training_from_elsewhere,))),
                           replace(_DIGITS, data=Data("digits")), "shifted-parts", visible=False),
    "bad-features": _told(replace(_DIGITS, data=Data("digits", (d.first_rows(300), d.copies_of_noise(1000), d.standardised))),
                          replace(_DIGITS, data=_digits(d.first_rows(300))), "bad-features",
                 recipe=("network.depth=2",)),
    "bad-augmentation": _told(replace(_DIGITS, augment=_turned, loader=True), _DIGITS, "bad-augmentation", "over-regularised",
                              visible=False),
    "device-underused": _told(replace(_DIGITS, build=n.doubles(n.mlp(512, 512)), batch=128, epochs=4),
                              replace(_DIGITS, build=n.mlp(512, 512), batch=128, epochs=4), "device-underused",
                              machine=True, visible=False),
    "memory-growth": _told(replace(_DIGITS, keeps_graph=True), _DIGITS, "memory-growth", machine=True, visible=False),
    # The twin has the same rate and normalises; gradients that explode and units that die are how the shift shows. A third
    # of the rate heals it as well (0.09 -> 0.92, mean of four seeds), so that naming the rate is right, too.
    "shifting-activations": _told(
        replace(_DIGITS, build=n.mlp(*(32,) * 10, start=n.he), optimizer=s.sgd(0.05, 0.9)),
        replace(_DIGITS, build=n.mlp(*(32,) * 10, norm=nn.BatchNorm1d, start=n.he), optimizer=s.sgd(0.05, 0.9)),
        "shifting-activations", "exploding-gradient", "dead-units", "learning-rate-too-high", visible=False,
                 recipe=("network.depth=10", "network.width=32", "techniques.he=on", "optimizer=momentum", "optimizer.learning_rate=0.05")),
}  # fmt: skip
