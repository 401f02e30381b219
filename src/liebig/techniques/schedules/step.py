"""Step decay.

Does: multiplies the rate by `factor` every `every` epochs.
Helps: long trainings whose length is known; halve every few epochs, or divide by ten twice.
Misleads: where the steps lie matters as much as how deep they are: a first one too early freezes learning.
Source: He et al. 2016, arXiv:1512.03385, section 3.4; equals torch's StepLR.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import ScheduleSettings


class Step(ScheduleSettings):
    """Settings of step decay. `every` is in epochs."""

    kind: Literal["step"] = "step"
    every: Annotated[int, Field(ge=1, le=100_000)] = 5
    factor: Annotated[float, Field(gt=0, le=1)] = 0.5

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(rate=f"{self.factor!r} ** (step // steps_per_epoch // {self.every})")

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        return float(self.factor ** (step // max(1, steps_per_epoch) // self.every))
