"""Cosine decay.

Does: lowers the rate along half a cosine to the share `final` of it at the last step, after a linear warm-up; with `cycles`
    above 1 it starts anew that many times (warm restarts).
Helps: takes the noise of large steps out of the last weights; nothing to tune but the length.
Misleads: it works only over its whole length: a run that is stopped before its end has had no decay.
Source: Loshchilov & Hutter 2017, arXiv:1608.03983, equation 5; equals torch's CosineAnnealingLR and
    CosineAnnealingWarmRestarts.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from liebig.techniques.schedules.shapes import BETWEEN, WARMED, WarmupShare, cosine_between, warmed, warmup_steps
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import ScheduleSettings


class Cosine(ScheduleSettings):
    """Settings of cosine decay."""

    kind: Literal["cosine"] = "cosine"
    warmup: WarmupShare = 0.0
    final: Annotated[float, Field(ge=0, le=1)] = 0.0
    cycles: Annotated[int, Field(ge=1, le=1000)] = 1

    def as_script(self, ground: ScriptGround) -> Script:
        helper = f'''def multiplier(step, total_steps):
    """Warm-up, then a cosine down to {self.final:g} of the rate."""
    warm = math.ceil({self.warmup!r} * total_steps - 1e-9)
    if step < warm:
        return warmed(step, warm)
    length = max(1, total_steps - warm)
    done = (step - warm) * {self.cycles}
    share = min(1.0, done / length) if {self.cycles} == 1 else done % length / length
    return between(1.0, {self.final!r}, share)
'''
        return Script(helpers=(WARMED, BETWEEN, helper), rate="multiplier(step, total_steps)")

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        warm = warmup_steps(self.warmup, total_steps)
        if step < warm:
            return warmed(step, warm)
        # Whole numbers: a cycle must start anew at its first step, not a rounding error before it.
        length = max(1, total_steps - warm)
        done = (step - warm) * self.cycles
        share = min(1.0, done / length) if self.cycles == 1 else done % length / length
        return cosine_between(1.0, self.final, share)
