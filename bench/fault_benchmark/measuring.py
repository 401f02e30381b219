"""One run measured: what is said of it, passively and with data, how early, and whether watching changed it."""

from __future__ import annotations

import time
import traceback
import warnings
from dataclasses import dataclass

import torch

from fault_benchmark.faults import FAULTS
from fault_benchmark.fitting import fitted
from fault_benchmark.healthy import HEALTHY
from fault_benchmark.loop import train
from fault_benchmark.rivals import RIVALS, Trace
from fault_benchmark.setup import Setup
from liebig.checks.diagnosis import Diagnosis

#: Name and strength of each finding, strongest first; the consequences of a finding do not count.
Said = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Outcome:
    """What came of one run. `first_named` is the share of the steps at which an accepted answer first stood first;
    `fit` what is said of the same fault as a recipe, in its first seed (None: no recipe can express it)."""

    name: str
    seed: int
    score: float
    valid_score: float
    seconds: float
    probe_seconds: float
    passive: Said = ()
    with_data: Said = ()
    first_named: float = float("nan")
    same_weights: bool = True
    twin_score: float = float("nan")
    twin_seconds: float = float("nan")
    rivals: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fit: Said | None = None
    told: str = ""
    error: str = ""


def said(diagnosis: Diagnosis | None) -> Said:
    return tuple((each.check.name, each.strength) for each in diagnosis.findings) if diagnosis else ()


def measure(name: str, seed: int) -> Outcome:
    """Train the fault or the healthy kind of this name, watched and unwatched, and a fault's twin."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # torch itself warns of some of the faults
    fault = FAULTS.get(name)
    setup: Setup = fault.sick if fault else HEALTHY[name]
    began = time.perf_counter()
    try:
        return _measured(name, seed, setup)
    except Exception:  # noqa: BLE001  # one broken run is told, and the others go on
        return Outcome(name, seed, 0.0, 0.0, time.perf_counter() - began, 0.0, error=traceback.format_exc())


def _measured(name: str, seed: int, setup: Setup) -> Outcome:
    fault = FAULTS.get(name)
    seen = train(setup, seed, watched=True)
    trace = Trace()
    plain = train(setup, seed, observer=trace)
    twin = train(fault.twin, seed) if fault else None
    accepted = fault.accepted if fault else frozenset()
    early = [share for share, diagnosis in seen.early if said(diagnosis)[:1] and said(diagnosis)[0][0] in accepted]
    first = (
        early[0] if early else 1.0 if said(seen.passive)[:1] and said(seen.passive)[0][0] in accepted else float("nan")
    )
    same = all(
        torch.equal(a, b) or (a.isnan().any() and torch.equal(a.nan_to_num(), b.nan_to_num()))
        for a, b in zip(seen.network.state_dict().values(), plain.network.state_dict().values(), strict=True)
    )
    return Outcome(
        name, seed, plain.score, plain.valid_score, seen.seconds, seen.probe_seconds, said(seen.passive),
        said(seen.with_data), first, bool(same), twin.score if twin else float("nan"),
        twin.seconds if twin else float("nan"),
        tuple((rival, tuple(rules(trace))) for rival, rules in RIVALS.items()),
        said(fitted(name, seed)) if fault and fault.recipe and seed == 0 else None,
        f"{seen.passive}\n---- with data\n{seen.with_data}",
    )  # fmt: skip
