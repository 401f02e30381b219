"""Evaluations as the loop makes them: phases of passes without gradient, one after another between training steps."""

from __future__ import annotations

from statistics import median
from typing import Final

from torch import Tensor

_MOST: Final = 64  # phases whose step is kept


class Phases:
    """Rows and steps of the phases. `passes` are the evaluating passes since the last training pass."""

    def __init__(self) -> None:
        self.passes = 0
        self.sizes: list[int] = []  # rows of each phase that is over
        self._rows = 0
        self._steps: list[int] = []

    @property
    def seen(self) -> int:
        """Phases that were begun, as far as they are counted."""
        return len(self._steps)

    def took(self, step: int, batch: Tensor | None) -> None:
        """One pass of a phase after `step` steps."""
        if batch is not None and self._rows == 0 and len(self._steps) < _MOST:
            self._steps.append(step)
        self._rows += batch.shape[0] if batch is not None else 0

    def end(self) -> None:
        """A training pass comes after evaluating ones."""
        if self.passes:
            self.passes = 0
            if self._rows:
                self.sizes.append(self._rows)
                self._rows = 0

    def training_rows(self, batch: int) -> float:
        """Rows of the training set: those of the steps from one evaluation to the next; 0 where that is not known."""
        steps = sorted(set(self._steps))
        gaps = [b - a for a, b in zip([0, *steps], steps, strict=False) if b > a]
        return median(gaps) * batch if gaps and batch else 0.0
