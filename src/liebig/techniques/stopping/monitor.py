"""What a rule watches after each epoch, and whether it got better. Shared by stopping rules and the plateau schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from liebig.techniques.stage import Progress

Monitor = Literal["metric", "loss"]
Mode = Literal["auto", "min", "max"]


@dataclass(frozen=True, slots=True)
class Best:
    """The best value seen so far (None before the first), its epoch (0-based), and the epochs without a better one since."""

    value: float | None = None
    epoch: int = -1
    waited: int = 0


def seen(progress: Progress, monitor: Monitor) -> float:
    """The watched number of this epoch; NaN where the epoch was not evaluated."""
    return progress.stop_metric if monitor == "metric" else progress.stop_loss


def is_rising(progress: Progress, monitor: Monitor, mode: Mode) -> bool:
    """Whether higher is better. "auto" knows it from the metric; a loss is better when lower."""
    if mode == "auto":
        return monitor == "metric" and progress.higher_is_better
    return mode == "max"


def watch(best: Best, progress: Progress, monitor: Monitor, mode: Mode, min_delta: float = 0.0) -> tuple[Best, bool]:
    """The new best, and whether this epoch set it: better by more than `min_delta`.

    An epoch that was not evaluated changes nothing, nor does one whose loss is not finite count as better.
    """
    value = seen(progress, monitor)
    if math.isnan(value):
        return best, False
    if best.value is None:
        return Best(value, progress.epoch), True
    gain = value - best.value if is_rising(progress, monitor, mode) else best.value - value
    if gain > min_delta:
        return Best(value, progress.epoch), True
    return Best(best.value, best.epoch, best.waited + 1), False


def watched_in_script(monitor: Monitor, mode: Mode, higher_is_better: bool) -> tuple[str, bool]:
    """What a plain script watches, and whether higher is better."""
    rises = (monitor == "metric" and higher_is_better) if mode == "auto" else mode == "max"
    return ("score" if monitor == "metric" else "valid_loss"), rises
