"""The checks on real, short trainings: seeded faults are named first, healthy runs raise no warning.

A part of the whole fault benchmark, small enough to run each time.
"""

from dataclasses import replace

import pytest
import torch
from fault_runs import FAULTS, HEALTHY, train, unwatched

from liebig.checks import diagnose

#: Fewer epochs than the whole benchmark has, where the fault shows as well.
_SHORT = {
    "X2 sd 3, 8 layers": 2,
    "Z1 zero": 4,
    "S1 tanh sd 3": 8,
    "L4 adam 1e-6": 4,
    "R1 decay 0.3": 6,
    "L3 momentum 1": 6,
}
_FAULTS = (*_SHORT, "D1 bias -5", "U2 raw cancer", "H1 2 epochs", "P1 target 1e6", "C1 width 2", "O1 100 rows")
_HEALTHY = ("cancer", "wine", "diabetes, stopped", "he sgd", "large batches")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("name", _FAULTS)
def test_the_fault_is_named_first(name: str) -> None:
    setup, accepted = FAULTS[name]
    evidence = train(replace(setup, epochs=_SHORT.get(name, setup.epochs)), seed=0)
    for seen in (evidence, unwatched(evidence)):
        first = diagnose(seen).findings[0]
        assert first.check.name in accepted
        assert first.is_warning
        assert first.tell().evidence


@pytest.mark.parametrize("name", _HEALTHY)
def test_a_healthy_run_raises_no_warning(name: str) -> None:
    evidence = train(HEALTHY[name], seed=0)
    for seen in (evidence, unwatched(evidence)):
        assert [finding.check.name for finding in diagnose(seen).warnings] == []
