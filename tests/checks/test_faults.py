"""The checks on real, short trainings: seeded faults are named first, healthy runs raise no warning.

A part of the whole fault benchmark, small enough to run each time: watched loops that nothing else is known of, and the same
faults as recipes.
"""

from dataclasses import replace

import pytest
import torch
from fault_benchmark.faults import FAULTS
from fault_benchmark.fitting import fitted
from fault_benchmark.healthy import HEALTHY
from fault_benchmark.loop import train

#: Epochs after which the fault shows as well as after all of them.
_SHORT = {"X2": 2, "Z1": 4, "S1": 8, "L4": 4, "L3": 6, "D1": 4, "C1": 10}
_FAULTS = (*_SHORT, "U2", "H1", "P1", "O1", "R1")
_RECIPES = ("L1", "L4", "Z1", "U2", "H1", "C1", "P1")
_HEALTHY = ("cancer", "wine", "regression", "he, sgd", "huber")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("name", _FAULTS)
def test_the_fault_is_named_first(name: str) -> None:
    fault = FAULTS[name]
    setup = replace(fault.sick, epochs=_SHORT.get(name, fault.sick.epochs))
    passive = train(setup, 0, watched=True, probe=False).passive
    assert passive is not None
    first = passive.findings[0]
    assert first.check.name in fault.accepted
    assert first.is_warning
    assert first.tell().evidence


@pytest.mark.parametrize("name", _RECIPES)
def test_the_fault_is_named_first_where_a_recipe_has_it(name: str) -> None:
    first = fitted(name, 0, probe=False).findings[0]
    assert first.check.name in FAULTS[name].accepted
    assert first.is_warning


@pytest.mark.parametrize("name", _HEALTHY)
def test_a_healthy_run_raises_no_warning(name: str) -> None:
    passive = train(HEALTHY[name], 0, watched=True, probe=False).passive
    assert passive is not None
    assert [finding.check.name for finding in passive.warnings] == []
