"""Exponential decay.

Does: multiplies the rate by a factor after every epoch.
Helps: a smooth way down with a single number.
Misleads: on long runs the rate is gone before the network has learnt: 0.9 leaves a hundredth after 44 epochs.
Source: torch.optim.lr_scheduler.ExponentialLR.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from liebig.techniques.stage import ScheduleSettings


class Exponential(ScheduleSettings):
    """The rate times `factor` after every epoch."""

    kind: Literal["exponential"] = "exponential"
    factor: float = Field(0.95, gt=0.0, le=1.0)

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        return float(self.factor ** (step // max(1, steps_per_epoch)))
