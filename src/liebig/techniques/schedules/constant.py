"""Constant rate.

Does: keeps the learning rate, after a linear warm-up over the first share of all steps (0: none).
Helps: with averaged weights and early stopping, since training can then be stopped at any moment; measured equal to
    cosine with an EMA of one epoch.
Misleads: without averaging the loss stays at the noise floor of the rate.
Source: Robbins & Monro 1951 for why a rate must fall or weights be averaged; warm-up: Goyal et al. 2017, arXiv:1706.02677.
"""

from __future__ import annotations

from typing import Literal

from liebig.techniques.schedules.shapes import WARMED, WarmupShare, warmed, warmup_steps
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import ScheduleSettings


class Constant(ScheduleSettings):
    """Settings of the constant schedule."""

    kind: Literal["constant"] = "constant"
    warmup: WarmupShare = 0.0

    def as_script(self, ground: ScriptGround) -> Script:
        if self.warmup == 0.0:
            return Script()
        return Script(helpers=(WARMED,), rate=f"warmed(step, math.ceil({self.warmup!r} * total_steps - 1e-9))")

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        return warmed(step, warmup_steps(self.warmup, total_steps))
