"""Draws: each member its own, whoever else is there."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from liebig.stack.draws import Draws, member_seed

CPU = torch.device("cpu")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5, unique=True), st.integers(0, 10_000), st.integers(0, 9)
)
def test_a_member_draws_the_same_alone(seeds, step, stream):
    together = Draws(tuple(seeds), step, CPU).uniform((3, 4), stream)
    for i, seed in enumerate(seeds):
        torch.testing.assert_close(Draws((seed,), step, CPU).uniform((3, 4), stream)[0], together[i])


def test_steps_and_places_differ():
    first = Draws((1,), 0, CPU)
    assert not torch.equal(first.uniform((50,), 0), first.uniform((50,), 1))
    assert not torch.equal(first.uniform((50,), 0), Draws((1,), 1, CPU).uniform((50,), 0))


def test_uniform_and_normal_have_their_moments():
    draws = Draws((3,), 5, CPU)
    uniform, normal = draws.uniform((100_000,), 0), draws.normal((100_000,), 7)
    assert float(uniform.mean()) == pytest.approx(0.5, abs=5e-3)
    assert float(uniform.var()) == pytest.approx(1 / 12, abs=2e-3)
    assert float(normal.mean()) == pytest.approx(0, abs=0.02)
    assert float(normal.std()) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 1.0])
def test_what_is_kept_is_divided_by_its_share(dtype, keep):
    factor = Draws((1, 2), 0, CPU).kept(torch.full((2,), keep), (300, 101), 0, dtype)
    assert factor.dtype == dtype
    share = float((factor > 0).float().mean())
    assert share == pytest.approx(keep, abs=0.01)
    assert float(factor.float().max()) == pytest.approx(1 / keep, rel=0.01)


def test_seeds_of_parts_differ():
    assert len({member_seed(block, replica) for block in range(100) for replica in range(100)}) == 10_000
