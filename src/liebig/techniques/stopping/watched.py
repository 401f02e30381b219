"""What stopping rules and the plateau schedule watch, and when it has improved."""

from __future__ import annotations

import math
from typing import Literal

from liebig.techniques.stage import Progress

Monitor = Literal["loss", "metric"]
Direction = Literal["auto", "min", "max"]


def watched(progress: Progress, monitor: Monitor, direction: Direction) -> tuple[float, bool]:
    """The number on the stop part, and whether larger is better."""
    if monitor == "loss":
        return progress.stop_loss, direction == "max"
    larger = progress.higher_is_better if direction == "auto" else direction == "max"
    return progress.stop_metric, larger


def improves(value: float, best: float, larger_is_better: bool, least: float) -> bool:
    """True when `value` beats `best` by more than `least`. The first number that is one is better than none."""
    if math.isnan(value):
        return False
    if math.isnan(best):
        return True
    return value > best + least if larger_is_better else value < best - least
