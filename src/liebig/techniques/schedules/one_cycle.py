"""One cycle.

Does: raises the rate along a cosine from a 25th of its peak to the peak over the first part of training, then lowers it to
    next to nothing; the peak is `peak` times the optimizer's rate.
Helps: the most from a fixed number of epochs; tables that gain from longer training (measured: 5 wins, no loss on 17).
Misleads: like cosine it must run to its end; with early stopping take a constant rate and averaged weights.
Source: Smith & Topin 2018, arXiv:1708.07120; equals torch's OneCycleLR, whose cycling momentum is left out.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from liebig.techniques.schedules.shapes import BETWEEN, cosine_between
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import ScheduleSettings


class OneCycle(ScheduleSettings):
    """Settings of one cycle: the peak comes after the share `rise` of all steps; the rate starts at peak /
    `start_divisor` and ends at that / `end_divisor`."""

    kind: Literal["one-cycle"] = "one-cycle"
    peak: Annotated[float, Field(gt=0, le=100)] = 2.0
    rise: Annotated[float, Field(gt=0, lt=1)] = 0.3
    start_divisor: Annotated[float, Field(ge=1, le=1e9)] = 25.0
    end_divisor: Annotated[float, Field(ge=1, le=1e9)] = 1e4

    def as_script(self, ground: ScriptGround) -> Script:
        helper = f'''def multiplier(step, total_steps):
    """One cycle: up to {self.peak:g} times the rate over the first {self.rise:.0%} of the steps, then down to nothing."""
    start = {self.peak!r} / {self.start_divisor!r}
    top, last = {self.rise!r} * total_steps - 1.0, total_steps - 1.0
    if step < top:
        return between(start, {self.peak!r}, step / top)
    return between({self.peak!r}, start / {self.end_divisor!r}, (step - top) / max(1.0, last - top))
'''
        return Script(helpers=(BETWEEN, helper), rate="multiplier(step, total_steps)")

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        start = self.peak / self.start_divisor
        top, last = self.rise * total_steps - 1.0, total_steps - 1.0
        if step < top:
            return cosine_between(start, self.peak, step / top)
        return cosine_between(self.peak, start / self.end_divisor, (step - top) / max(1.0, last - top))
