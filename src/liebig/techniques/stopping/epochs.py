"""A fixed number of epochs.

Does: trains so many epochs and keeps the last weights.
Helps: nothing is chosen, so no rows are set aside: all are trained on. Right for small tables.
Misleads: too few epochs and too many look alike in the last number; look at the curve.
Source: common practice.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from liebig.techniques.stage import Decision, Progress, StoppingSettings


class FixedEpochs(StoppingSettings):
    """Train `epochs` epochs."""

    kind: Literal["epochs"] = "epochs"
    epochs: int = Field(15, ge=1, le=100_000)

    def after_epoch(self, state: None, progress: Progress) -> tuple[None, Decision]:
        return None, Decision(keep=True, stop=progress.epoch + 1 >= self.epochs)
