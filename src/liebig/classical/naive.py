"""The last value, or the last season, repeated.

Does: forecasts that what follows is the last value, or what stood one season before; the season is the number of steps that
  would have answered best for the sequences that are learnt from.
Helps: as what every forecast must beat.
Misleads: where a season is longer than what is seen, or two seasons lie over each other (day and week).
Source: Hyndman & Athanasopoulos 2021, Forecasting: Principles and Practice, section 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from liebig.classical.challenger import Answerer, Challenger, Question, Shape
from liebig.classical.filling import Values, filled
from liebig.classical.storing import Stored
from liebig.classical.table import ClassicalTable
from liebig.core.arrays import Predictions, Reals


def seen_of(table: ClassicalTable) -> Values:
    """The channel that goes on, float32 [rows, steps]. Raises ValueError where none does."""
    if table.sequences is None or table.anchor < 0:
        raise ValueError("a forecast needs the channel whose next values are wanted")
    return filled(table.sequences)[:, :, table.anchor]


def repeated(seen: Values, season: int, horizon: int) -> Values:
    """What stood one season before each of the next steps, [rows, horizon]."""
    last = seen[:, seen.shape[1] - season :]
    return last[:, np.arange(horizon) % season]


@dataclass(frozen=True, slots=True)
class Naive(Challenger):
    """The last value, or with `seasonal` the last season."""

    name: str = "naive"
    title: str = "the last value repeated"
    rows_cap: int = 100_000
    seasonal: bool = False

    def predicted_seconds(self, shape: Shape) -> float:
        return 0.01 + (1e-7 * min(shape.rows, self.rows_cap) * shape.outputs * 100 if self.seasonal else 0.0)

    def learn(
        self, table: ClassicalTable, target: Reals, question: Question, seed: int, weights: Reals | None
    ) -> Answerer:
        seen = seen_of(table)
        wanted = target if target.ndim == 2 else target[:, None]
        seasons = range(1, seen.shape[1] + 1) if self.seasonal else (1,)
        errors = [float(np.square(repeated(seen, each, wanted.shape[1]) - wanted).mean()) for each in seasons]
        return FittedNaive(seasons[int(np.argmin(errors))], wanted.shape[1], target.ndim == 1)


@dataclass(frozen=True, slots=True, eq=False)
class FittedNaive(Answerer):
    """`season` steps are repeated, `horizon` times one; `single` where one number is the answer."""

    kind: ClassVar[str] = "naive"
    season: int
    horizon: int
    single: bool

    def predict(self, table: ClassicalTable) -> Predictions:
        answers = repeated(seen_of(table), self.season, self.horizon)
        return answers[:, 0] if self.single else np.ascontiguousarray(answers)

    def stored(self) -> Stored:
        return Stored(self.kind, {"season": self.season, "horizon": self.horizon, "single": self.single})

    @classmethod
    def from_stored(cls, stored: Stored) -> FittedNaive:
        return FittedNaive(int(stored.plain["season"]), int(stored.plain["horizon"]), bool(stored.plain["single"]))
