"""One buffer for all parameters, and members that leave."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from liebig.stack.flat import size_of, spans, views
from liebig.stack.specs import ParameterSpec, Role
from liebig.stack.tree import keep_members

SPECS = (
    ParameterSpec("a", (2, 3), Role.WEIGHT, 2, 3),
    ParameterSpec("b", (3,), Role.BIAS, 2, 3),
    ParameterSpec("c", (3, 1), Role.WEIGHT, 3, 1),
    ParameterSpec("d", (4, 2), Role.EMBEDDING, 4, 2),
)


def test_views_share_the_buffer():
    flat = torch.arange(2.0 * size_of(SPECS)).reshape(2, -1)
    parts = views(flat, SPECS)
    assert [tuple(part.shape) for part in parts] == [(2, 2, 3), (2, 3), (2, 3, 1), (2, 4, 2)]
    parts[1].zero_()
    assert not flat[:, 6:9].any()
    torch.testing.assert_close(torch.cat([part.reshape(2, -1) for part in parts], dim=1), flat)


def test_decay_acts_on_neighbours_at_once():
    assert spans(SPECS) == (slice(0, 6), slice(9, 20))


@dataclass(frozen=True)
class State:
    rates: Tensor
    inner: tuple[dict[str, Tensor], ...]
    name: str = "kept"


def test_members_leave_every_tensor():
    state = State(torch.arange(3), ({"m": torch.arange(6).reshape(3, 2)},))
    smaller = keep_members(state, torch.tensor([2, 0]))
    assert smaller.rates.tolist() == [2, 0]
    assert smaller.inner[0]["m"].tolist() == [[4, 5], [0, 1]]
    assert smaller.name == "kept"
