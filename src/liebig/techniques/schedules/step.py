"""Step decay.

Does: multiplies the rate by a factor every so many epochs.
Helps: the classical way to come down from a rate that is too high to settle with.
Misleads: the epochs must suit the length of training; a first step too early freezes learning.
Source: torch.optim.lr_scheduler.StepLR.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from liebig.techniques.stage import ScheduleSettings


class Step(ScheduleSettings):
    """The rate times `factor` after every `every` epochs."""

    kind: Literal["step"] = "step"
    every: int = Field(5, ge=1)
    factor: float = Field(0.5, gt=0.0, le=1.0)

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        return float(self.factor ** (step // max(1, steps_per_epoch) // self.every))
