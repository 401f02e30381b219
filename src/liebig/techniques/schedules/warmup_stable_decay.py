"""Warm-up, stable, decay.

Does: warms up linearly over the share `warmup` of all steps, keeps the rate, and lowers it linearly to nothing over the
    last share `decay`.
Helps: nearly all of cosine's gain, while most of the run does not depend on its length.
Misleads: the gain comes in the last part: do not judge a run before it.
Source: Hu et al. 2024, MiniCPM, arXiv:2404.06395, section 4; linear decay: Haegele et al. 2024, arXiv:2405.18392.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from liebig.techniques.schedules.shapes import WARMED, warmed, warmup_steps
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import ScheduleSettings


class WarmupStableDecay(ScheduleSettings):
    """Settings of warm-up, stable, decay; both shares are of all steps."""

    kind: Literal["warmup-stable-decay"] = "warmup-stable-decay"
    warmup: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    decay: Annotated[float, Field(gt=0, le=0.5)] = 0.2

    def as_script(self, ground: ScriptGround) -> Script:
        falling = f"max(1, math.ceil({self.decay!r} * total_steps - 1e-9))"
        warm = f"warmed(step, math.ceil({self.warmup!r} * total_steps - 1e-9))"
        return Script(helpers=(WARMED,), rate=f"min({warm}, (total_steps - step) / {falling}, 1.0)")

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        falling = max(1, warmup_steps(self.decay, total_steps))
        left = max(0, total_steps - step)
        return min(warmed(step, warmup_steps(self.warmup, total_steps)), left / falling, 1.0)
