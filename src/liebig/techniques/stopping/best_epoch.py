"""The best epoch.

Does: trains all its epochs and keeps the weights of the epoch that was best on the stop part.
Helps: as early stopping without its impatience: a late recovery is not missed.
Misleads: costs the whole length, and the choice among many epochs is a little lucky.
Source: checkpointing as in every framework (ModelCheckpoint, save_best_only).
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from liebig.techniques.stage import Decision, Progress, StoppingSettings
from liebig.techniques.stopping.watched import Direction, Monitor, improves, watched


class BestEpoch(StoppingSettings):
    """Train `epochs` epochs, keep the best."""

    kind: Literal["best-epoch"] = "best-epoch"
    epochs: int = Field(30, ge=1, le=100_000)
    monitor: Monitor = "loss"
    mode: Direction = "auto"

    @property
    def chooses(self) -> bool:
        return True

    def start(self) -> float:
        return math.nan

    def after_epoch(self, state: float, progress: Progress) -> tuple[float, Decision]:
        value, larger = watched(progress, self.monitor, self.mode)
        is_best = improves(value, state, larger, 0.0)
        return value if is_best else state, Decision(is_best, progress.epoch + 1 >= self.epochs)
