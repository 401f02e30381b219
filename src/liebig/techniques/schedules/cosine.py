"""Cosine decay.

Does: lowers the rate along half a cosine to nothing (or to a share) at the last step, after a linear warm-up.
Helps: takes the noise of large steps out of the last weights; nothing to tune but the length.
Misleads: it only works over its whole length: a run that is stopped before the end has had no decay.
Source: Loshchilov & Hutter 2017, arXiv:1608.03983, equation 5; torch.optim.lr_scheduler.CosineAnnealingLR.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from liebig.techniques.schedules.shapes import cosine_between, warmed
from liebig.techniques.stage import ScheduleSettings


class Cosine(ScheduleSettings):
    """`warmup` is a share of all steps, `final` the share of the rate that is left at the end."""

    kind: Literal["cosine"] = "cosine"
    warmup: float = Field(0.0, ge=0.0, lt=1.0)
    final: float = Field(0.0, ge=0.0, le=1.0)

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        warm = round(self.warmup * total_steps)
        if step < warm:
            return warmed(step, warm)
        return cosine_between(1.0, self.final, (step - warm) / max(1, total_steps - warm))
