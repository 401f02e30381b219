"""One cycle.

Does: raises the rate along a cosine from a 25th of its peak to the peak over the first part of training, then lowers it to
  next to nothing; the peak is a multiple of the optimizer's rate.
Helps: the most from a fixed number of epochs; tables that gain from longer training.
Misleads: like cosine it must run to its end; with early stopping take a constant rate and averaging.
Source: Smith & Topin 2018, arXiv:1708.07120; torch.optim.lr_scheduler.OneCycleLR.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from liebig.techniques.schedules.shapes import cosine_between
from liebig.techniques.stage import ScheduleSettings


class OneCycle(ScheduleSettings):
    """`peak` times the rate after the share `rise` of all steps; starts at peak / `start_divisor`, ends at that / `end_divisor`."""

    kind: Literal["one-cycle"] = "one-cycle"
    peak: float = Field(2.0, gt=0.0, le=100.0)
    rise: float = Field(0.3, gt=0.0, lt=1.0)
    start_divisor: float = Field(25.0, ge=1.0)
    end_divisor: float = Field(1e4, ge=1.0)

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        start = self.peak / self.start_divisor
        top, last = self.rise * total_steps - 1.0, total_steps - 1.0
        if step <= top:
            return cosine_between(start, self.peak, step / top)
        return cosine_between(self.peak, start / self.end_divisor, (step - top) / max(1e-9, last - top))
