"""Warm-up, stable, decay.

Does: warms up linearly, keeps the rate, and lowers it linearly to nothing over the last share of the steps.
Helps: nearly all of cosine's gain while most of the run does not depend on its length.
Misleads: the gain comes in the last part: do not judge it before.
Source: Hu et al. 2024, MiniCPM, arXiv:2404.06395, section 4.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from liebig.techniques.schedules.shapes import warmed
from liebig.techniques.stage import ScheduleSettings


class WarmupStableDecay(ScheduleSettings):
    """`warmup` and `decay` are shares of all steps."""

    kind: Literal["warmup-stable-decay"] = "warmup-stable-decay"
    warmup: float = Field(0.05, ge=0.0, le=0.5)
    decay: float = Field(0.2, gt=0.0, le=0.5)

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        falls = max(1, round(self.decay * total_steps))
        return min(warmed(step, round(self.warmup * total_steps)), (total_steps - step) / falls, 1.0)
