"""The recorder: looks of K members in, evidence of each member out. It keeps numbers, never tensors."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from liebig.core.evidence import (
    Evidence,
    GradientNorms,
    Measurement,
    NonFinite,
    ProbeCost,
    StepLosses,
    UnitStatistics,
    evidence_of,
)
from liebig.probes.gradient_norms import GradientProbe
from liebig.probes.initial_loss import InitialLossProbe
from liebig.probes.initial_weights import WeightProbe
from liebig.probes.look import Look
from liebig.probes.losses import LossProbe
from liebig.probes.non_finite import first_non_finite
from liebig.probes.probe import Probe, Reading
from liebig.probes.schedule import WHOLE_UNTIL, Seeing, looks_until
from liebig.probes.step_gradients import StepGradientProbe
from liebig.probes.unit_statistics import UnitProbe
from liebig.probes.update_ratios import UpdateProbe
from liebig.probes.weight_norms import NormProbe

_SHARE: Final = 0.01  # of the time so far may be spent looking,
_GRACE: Final = 0.1  # plus so many seconds


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One look: `numbers` float64 [members present, all], and where each probe's lie in a row."""

    step: int
    present: dict[int, int]
    places: dict[int, tuple[slice, tuple[str, ...]]]
    numbers: NDArray[np.float64]


class Recorder:
    """Watches one population of `members` networks for at most `total_steps` steps.

    Members are known by their original number 0..members-1, also after others have left. `class_shares` (classes in the
    training rows) and `is_classification` make the baseline of the initial loss exact. Looking may cost `share` of the time
    so far and `grace` seconds. `gradient_at` is the step at which the first gradient is seen.
    """

    def __init__(
        self,
        members: int,
        total_steps: int,
        *,
        is_classification: bool | None = None,
        class_shares: tuple[float, ...] = (),
        grace: float = _GRACE,
        share: float = _SHARE,
        gradient_at: int = 1,
    ) -> None:
        self._present = list(range(members))
        self._schedule, self._last = looks_until(total_steps), total_steps - 1
        self._probes: tuple[Probe, ...] = (
            LossProbe(total_steps),
            InitialLossProbe(is_classification, class_shares),
            WeightProbe(gradient_at),
            GradientProbe(),
            UpdateProbe(),
            NormProbe(),
            UnitProbe(),
            StepGradientProbe(),
        )
        self._seen: list[_Seen] = []
        self._diverged: dict[int, NonFinite] = {}
        self._began, self._grace, self._share = time.perf_counter(), grace, share
        self._seconds = 0.0

    def wants(self, step: int) -> Seeing:
        """What to look at in `step` (0-based): steps 0-9 and the last always, others while looking has cost little."""
        wanted = self._schedule.get(step, Seeing.NOTHING)
        if wanted is Seeing.NOTHING or step <= WHOLE_UNTIL or step == self._last:
            return wanted
        return wanted if self.affords(time.perf_counter()) else Seeing.NOTHING

    def affords(self, now: float, more: float = 0.0) -> bool:
        """Whether looking has cost little enough by `now` (perf_counter) to be allowed on, for `more` seconds."""
        return self._seconds + more <= self._share * (now - self._began) + self._grace

    def see(self, look: Look) -> None:
        """Read one look of the members present, in their order. One device synchronisation."""
        began = time.perf_counter()
        with torch.no_grad():
            read = [(i, probe.names(look), probe.read(look)) for i, probe in enumerate(self._probes)]
            parts = [(i, names, numbers) for i, names, numbers in read if numbers is not None]
            if parts:
                wide = torch.float32 if parts[0][2].device.type == "mps" else torch.float64
                rows = torch.cat([numbers.to(wide) for _, _, numbers in parts], dim=1).cpu().numpy()
                self._seen.append(self._filed(look.step, parts, rows.astype(np.float64)))
        self._seconds += time.perf_counter() - began

    def _filed(
        self, step: int, parts: Sequence[tuple[int, tuple[str, ...], torch.Tensor]], rows: NDArray[np.float64]
    ) -> _Seen:
        if len(rows) != len(self._present):
            raise ValueError(f"a look must show the {len(self._present)} members present, however it shows {len(rows)}")
        places, start = {}, 0
        for i, names, numbers in parts:
            places[i] = slice(start, start + numbers.shape[1]), names
            start += numbers.shape[1]
        return _Seen(step, {member: row for row, member in enumerate(self._present)}, places, rows)

    @property
    def seconds(self) -> float:
        """What looking has cost so far."""
        return self._seconds

    def spent(self, seconds: float) -> None:
        """Add what the loop itself spent on making looks."""
        self._seconds += seconds

    def keep(self, indices: Sequence[int]) -> None:
        """Only the members at these places of the present stack go on; what was seen of the others is kept."""
        self._present = [self._present[i] for i in indices]

    def diverged(self, member: int, step: int) -> None:
        """The loop itself saw that this member's (original number) loss was not finite at `step`."""
        self._diverged.setdefault(member, NonFinite(step, "", "the loss", "forward"))

    def evidence(self, member: int) -> Evidence:
        """All that was seen of `member` (original number)."""
        measured: list[Measurement | None] = []
        for i, probe in enumerate(self._probes):
            readings = self._readings(i, member)
            measured.append(probe.measurement(readings) if readings else None)
        seen = evidence_of(measured)
        sick = first_non_finite(seen.get(UnitStatistics), seen.get(StepLosses), seen.get(GradientNorms))
        cost = ProbeCost(self._seconds, time.perf_counter() - self._began)
        return evidence_of([*seen, _earlier(sick, self._diverged.get(member)), cost])

    def _readings(self, probe: int, member: int) -> list[Reading]:
        return [
            Reading(seen.step, seen.places[probe][1], seen.numbers[seen.present[member]][seen.places[probe][0]])
            for seen in self._seen
            if member in seen.present and probe in seen.places
        ]


def _earlier(seen: NonFinite | None, told: NonFinite | None) -> NonFinite | None:
    """What was seen knows the place; what the loop told may have come first."""
    if seen is None or told is None:
        return seen or told
    return seen if seen.step <= told.step else told
