"""Reduce on plateau.

Does: multiplies the rate by `factor` when the watched number has not improved for more than `patience` epochs, never
    below `min_rate`; an improvement must exceed the share `threshold` of the best so far.
Helps: lowers the rate when the data say so, not the calendar.
Misleads: a small stop part is noisy: with little patience the rate falls for no reason. It reads a stop part, so that fewer
    rows are trained on.
Source: equals torch's ReduceLROnPlateau in its relative mode.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Lowered, Progress, ScheduleSettings
from liebig.techniques.stopping.monitor import Best, Mode, Monitor, watch, watched_in_script

#: torch lowers the rate only where that changes it by more than this.
_SMALLEST_CHANGE = 1e-8


class Plateau(ScheduleSettings):
    """Settings of reduce on plateau. `min_rate` is a learning rate, `patience` in epochs."""

    kind: Literal["plateau"] = "plateau"
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    patience: Annotated[int, Field(ge=0, le=100_000)] = 3
    min_rate: Annotated[float, Field(ge=0, le=1000)] = 0.0
    threshold: Annotated[float, Field(ge=0, le=1)] = 1e-4
    monitor: Monitor = "loss"
    mode: Mode = "auto"

    @property
    def chooses(self) -> bool:
        return True

    def as_script(self, ground: ScriptGround) -> Script:
        watched, rises = watched_in_script(self.monitor, self.mode, ground.higher_is_better)
        better = f"{watched} > best_seen + least" if rises else f"{watched} < best_seen - least"
        return Script(
            begin=("lowered, best_seen, waited = 1.0, None, 0",),
            rate="lowered",
            after_evaluation=(
                f"least = {self.threshold!r} * abs(best_seen) if best_seen is not None else 0.0",
                f"if best_seen is None or {better}:",
                f"    best_seen, waited = {watched}, 0",
                "else:",
                "    waited += 1",
                f"if waited > {self.patience}:",
                "    waited = 0",
                f"    lowered = max({self.factor!r} * lowered, {self.min_rate!r} / optimizer.param_groups[0]['initial_lr'])",
            ),
        )

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        return 1.0

    def start(self) -> Best:
        return Best()

    def after_epoch(self, state: Best, progress: Progress) -> tuple[Best, Lowered | None]:
        least = self.threshold * abs(state.value) if state.value is not None else 0.0
        best, _ = watch(state, progress, self.monitor, self.mode, least)
        if best.waited <= self.patience:
            return best, None
        rested = Best(best.value, best.epoch)
        if math.isnan(progress.rate):
            factor = self.factor
        else:
            lowered = max(self.factor * progress.rate, self.min_rate)
            if progress.rate - lowered <= _SMALLEST_CHANGE:
                return rested, None
            factor = lowered / progress.rate
        return rested, Lowered(factor, f"the {self.monitor} has not improved for {best.waited} epochs")
