"""Models that answer together: the weighted mean of what several networks and classical algorithms answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from liebig.classical import Answerer
from liebig.core.arrays import Predictions, Rows
from liebig.core.task import Task
from liebig.data.table.columns import Column
from liebig.data.table.content import classical_of, raw_of
from liebig.train.encoding import Encoding
from liebig.train.fitted import Fitted

_CHUNK = 16_384  # rows that are answered at a time


class Predictor(Protocol):
    """Whatever answers for rows of a table."""

    def predict_frame(self, frame: Any) -> Predictions:
        """Predictions for new rows (a polars frame), as `core.arrays.Predictions`, in the target's own unit."""

    def predict_rows(self, task: Task[Any], rows: Rows, encoding: Encoding) -> Predictions:
        """Predictions for rows of a task."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedChallenger:
    """A classical algorithm that was fitted; `columns` are the inputs that it reads of a table."""

    name: str
    columns: tuple[Column, ...]
    answerer: Answerer

    def predict_frame(self, frame: Any) -> Predictions:
        """As `Predictor.predict_frame`. Raises UserError when a column is absent."""
        parts = [
            self.answerer.predict(classical_of(raw_of(frame[start : start + _CHUNK], self.columns), self.columns))
            for start in range(0, max(len(frame), 1), _CHUNK)
        ]
        return np.concatenate(parts)

    def predict_rows(self, task: Task[Any], rows: Rows, encoding: Encoding) -> Predictions:
        return self.answerer.predict(task.data.classical(rows))


@dataclass(frozen=True, slots=True, eq=False)
class Combination:
    """The weighted mean of `members`: of probabilities, or of numbers in the target's unit. `weights` sum to 1."""

    members: tuple[Fitted | FittedChallenger, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.members or len(self.members) != len(self.weights):
            raise ValueError(
                f"as many weights as members are needed, however {len(self.weights)} and {len(self.members)} came"
            )
        if min(self.weights) <= 0 or abs(sum(self.weights) - 1.0) > 1e-6:
            raise ValueError(f"weights must be above 0 and sum to 1, however {self.weights} came")

    def predict_frame(self, frame: Any) -> Predictions:
        return mixed([each.predict_frame(frame) for each in self.members], self.weights)

    def predict_rows(self, task: Task[Any], rows: Rows, encoding: Encoding) -> Predictions:
        return mixed([each.predict_rows(task, rows, encoding) for each in self.members], self.weights)

    @property
    def networks(self) -> tuple[Fitted, ...]:
        """The members that are networks."""
        return tuple(each for each in self.members if isinstance(each, Fitted))


def mixed(answers: Sequence[Predictions], weights: Sequence[float]) -> Predictions:
    """The weighted mean of predictions of equal shape, float32."""
    total: NDArray[np.float64] = np.zeros(answers[0].shape, dtype=np.float64)
    for answer, weight in zip(answers, weights, strict=True):
        if weight:
            total += weight * answer.astype(np.float64)
    return total.astype(np.float32)
