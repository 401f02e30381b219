"""Exponential decay.

Does: multiplies the rate by `factor` after every epoch.
Helps: a smooth way down with a single number.
Misleads: on long runs the rate is gone before the network has learnt: 0.9 leaves a hundredth after 44 epochs.
Source: equals torch's ExponentialLR.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import ScheduleSettings


class Exponential(ScheduleSettings):
    """Settings of exponential decay."""

    kind: Literal["exponential"] = "exponential"
    factor: Annotated[float, Field(gt=0, le=1)] = 0.95

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(rate=f"{self.factor!r} ** (step // steps_per_epoch)")

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        return float(self.factor ** (step // max(1, steps_per_epoch)))
