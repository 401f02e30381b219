"""A user's mistake in what is handed to `watch` is one sentence, and what is logged never stops the loop."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import TensorDataset

import liebig
from liebig.core.errors import UserError
from liebig.core.evidence import EpochCurves
from liebig.watch import Watch

X = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


def _watched(network: nn.Module | None = None, **given: Any) -> Watch:
    """A loop of three steps."""
    network = network or nn.Linear(4, 2)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    with liebig.watch(network, optimizer, **given) as watch:
        for _ in range(3):
            optimizer.zero_grad()
            functional.cross_entropy(network(X), Y).backward()
            optimizer.step()
    return watch


def test_an_optimizer_is_needed() -> None:
    with pytest.raises(UserError, match=r"watch needs the optimizer, too.*liebig.watch\(model, optimizer\)"):
        liebig.watch(nn.Linear(2, 2))


def test_a_loss_is_a_function() -> None:
    with pytest.raises(UserError, match=r"loss must be a function of \(answer, target\), however str came"):
        _watched(loss="cross_entropy")


def test_an_optimizer_of_another_network_is_told_first() -> None:
    network, other = nn.Linear(4, 2), nn.Linear(4, 2)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.1)
    with liebig.watch(network, optimizer) as watch:
        for _ in range(3):
            optimizer.zero_grad()
            functional.cross_entropy(network(X), Y).backward()
            optimizer.step()
    assert watch.diagnose().findings[0].tell().headline == "The optimizer trains nothing of this network."


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("good", "the text 'good'"),
        (torch.tensor(1 + 2j), r"a tensor of shape \(\), torch.complex64,"),
        (torch.zeros(0), r"a tensor of shape \(0,\), torch.float32,"),
        ({"a": 1.0}, "a dict"),
        (["0.5"], "a list"),
    ],
)
def test_what_is_no_number_is_told_and_stops_nothing(value: Any, told: str) -> None:
    watch = _watched()
    for _ in range(2):
        watch.log(valid_loss=value)
    (note,) = watch.diagnose().notes
    assert note.startswith("valid_loss must be a number, however ")
    assert re.search(told, note)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (torch.tensor([1.0, 3.0], requires_grad=True), 2.0),
        (np.array([1.0, 3.0]), 2.0),
        (np.float32(2.0), 2.0),
        (2, 2.0),
        (math.nan, math.nan),
    ],
)
def test_of_several_values_the_mean_is_taken(value: Any, number: float) -> None:
    watch = _watched()
    watch.log({"valid_loss": value}, train_loss=None)
    curves = watch.evidence.get(EpochCurves)
    assert curves is not None
    np.testing.assert_equal(curves.stop_loss, (number,))
    assert watch.diagnose().notes == ()


def test_what_has_no_name_is_refused() -> None:
    with pytest.raises(UserError, match=r"watch.log takes numbers by their names.*however float came"):
        _watched().log(0.5)  # type: ignore[arg-type]  # the mistake that is tested


def _broken(answer: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    raise ValueError("a loss of my own fails")


class _Wandering(nn.Module):
    """Makes a tensor on another device than its parameters'."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.wanders = nn.Linear(4, 2), False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + (torch.zeros(2, device="meta") if self.wanders else 0.0)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"train": TensorDataset(X[:0], Y[:0])}, "train: the data must have at least one row"),
        ({"train": []}, "train: the data must have at least one batch"),
        ({"train": (X, Y), "valid": (X[:0], Y[:0])}, "valid: the data must have at least one row"),
        ({"train": (X, Y), "loss": _broken}, "a loss of my own fails"),
        ({"train": (X[:, :3], Y)}, "mat1 and mat2 shapes cannot be multiplied"),
        ({"train": 3}, "must be a DataLoader, a Dataset, tensors or batches, however int came"),
        ({"train": iter([(X, Y)])}, "readable more than once"),
    ],
)
def test_data_that_cannot_be_probed_are_told(given: dict[str, Any], told: str) -> None:
    watch = _watched(**{"loss": functional.cross_entropy, **given})
    with pytest.raises(UserError, match="nothing could be probed with these data: .*" + told):
        watch.probe()


def test_networks_on_another_device_are_told() -> None:
    network = _Wandering()
    watch = _watched(network, train=(X, Y), loss=functional.cross_entropy)
    network.wanders = True
    with pytest.raises(UserError, match="meta is not on the expected device cpu"):
        watch.probe()
    empty = nn.Linear(4, 2, device="meta")
    watch = liebig.watch(empty, torch.optim.SGD(empty.parameters(), lr=0.1), train=(X, Y))
    watch.close()
    with pytest.raises(UserError, match="values, however its parameters lie on the meta device"):
        watch.probe()
