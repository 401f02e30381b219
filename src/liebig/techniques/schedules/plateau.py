"""Reduce on plateau.

Does: multiplies the rate by a factor when the watched number has not improved for more than `patience` epochs.
Helps: lowers the rate when the data say so, not the calendar.
Misleads: a small stop part is noisy: with little patience the rate falls for no reason. It chooses, so it needs a stop part.
Source: torch.optim.lr_scheduler.ReduceLROnPlateau.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from liebig.techniques.stage import Lowered, Progress, ScheduleSettings
from liebig.techniques.stopping.watched import Direction, Monitor, improves, watched


@dataclass(frozen=True, slots=True)
class PlateauState:
    best: float = math.nan
    waited: int = 0


class Plateau(ScheduleSettings):
    """`threshold` is relative: what counts as better than the best so far."""

    kind: Literal["plateau"] = "plateau"
    factor: float = Field(0.5, gt=0.0, lt=1.0)
    patience: int = Field(3, ge=0)
    min_rate: float = Field(0.0, ge=0.0)
    threshold: float = Field(1e-4, ge=0.0)
    monitor: Monitor = "loss"
    mode: Direction = "auto"

    @property
    def chooses(self) -> bool:
        """The rate falls by what the stop part says."""
        return True

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        return 1.0

    def start(self) -> PlateauState:
        return PlateauState()

    def after_epoch(self, state: PlateauState, progress: Progress) -> tuple[PlateauState, Lowered | None]:
        value, larger = watched(progress, self.monitor, self.mode)
        if improves(value, state.best, larger, self.threshold * abs(state.best)):
            return PlateauState(value), None
        waited = state.waited + 1
        if waited <= self.patience:
            return PlateauState(state.best, waited), None
        factor = self.factor
        if not math.isnan(progress.rate) and progress.rate > 0:
            factor = max(factor, min(1.0, self.min_rate / progress.rate))
        if factor >= 1.0:
            return PlateauState(state.best), None
        reason = f"the {self.monitor} on the stop part has not improved for {waited} epochs"
        return PlateauState(state.best), Lowered(factor, reason)
