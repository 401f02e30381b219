"""Ridge regression on the last steps.

Does: forecasts every next value by a weighted sum of the last steps of all channels; the penalty, and whether a sequence is read
  relative to its last value, are chosen on the latest fifth of the rows.
Helps: as the yardstick of forecasting: most series that can be forecast at all are nearly linear over a short time.
Misleads: bends, and seasons that are longer than what is seen.
Source: Hoerl & Kennard 1970; Zeng et al. 2023, arXiv:2205.13504 (linear models against transformers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from liebig.classical.challenger import Answerer, Challenger, Question, Shape
from liebig.classical.filling import Values, filled
from liebig.classical.naive import seen_of
from liebig.classical.ridge import solved
from liebig.classical.storing import Stored
from liebig.classical.table import ClassicalTable
from liebig.core.arrays import Predictions, Reals

_PENALTIES: Final = tuple(float(each) for each in np.logspace(-4, 2, 9))
#: Numbers that a row has at most: the latest are taken.
_MOST_NUMBERS: Final = 1_500
_CHOSEN_ON: Final = 0.2


@dataclass(frozen=True, slots=True)
class RidgeOnLags(Challenger):
    name: str = "ridge-on-lags"
    title: str = "ridge on the last steps"
    rows_cap: int = 20_000

    def predicted_seconds(self, shape: Shape) -> float:
        return 0.2 + 2e-4 * min(shape.rows, self.rows_cap)

    def learn(
        self, table: ClassicalTable, target: Reals, question: Question, seed: int, weights: Reals | None
    ) -> Answerer:
        wanted = target if target.ndim == 2 else target[:, None]
        cut = max(1, int((1 - _CHOSEN_ON) * len(wanted)))  # rows come in the order of time
        best: tuple[float, bool, float] | None = None
        for relative in (False, True):
            inputs, last = _inputs(table, relative)
            aimed = wanted - last if relative else wanted
            inputs = inputs / _units(inputs[:cut])
            scale = len(inputs[:cut])
            for penalty, each in zip(
                _PENALTIES, solved(inputs[:cut], aimed[:cut], [p * scale for p in _PENALTIES]), strict=True
            ):
                error = float(np.square(inputs[cut:] @ each.weights + each.bias - aimed[cut:]).mean())
                if best is None or error < best[0]:
                    best = error, relative, penalty
        assert best is not None
        inputs, last = _inputs(table, best[1])
        units = _units(inputs)
        (whole,) = solved(inputs / units, wanted - last if best[1] else wanted, [best[2] * len(inputs)])
        weights_ = whole.weights / units[:, None]
        return FittedRidge(weights_.astype(np.float32), whole.bias, best[1], target.ndim == 1)


def _units(inputs: Reals) -> Reals:
    """What the spread of each number is, 1 where it hardly varies: channels have units of their own."""
    spread = inputs.std(axis=0)
    return np.asarray(np.where(spread > 1e-9, spread, 1.0), dtype=np.float64)


def _inputs(table: ClassicalTable, relative: bool) -> tuple[Reals, Reals]:
    """What is weighed, float64 [rows, numbers], and the last value, [rows, 1]."""
    last = seen_of(table)[:, -1:].astype(np.float64)
    assert table.sequences is not None
    whole: Values = filled(table.sequences)
    steps = min(whole.shape[1], max(1, _MOST_NUMBERS // whole.shape[2]))
    own = whole[:, whole.shape[1] - steps :].astype(np.float64)
    if relative:
        own[:, :, table.anchor] -= last
    return own.reshape(len(own), -1), last


@dataclass(frozen=True, slots=True, eq=False)
class FittedRidge(Answerer):
    """`weights` float32 [numbers, horizon], `bias` float64 [horizon]; `relative` to the last value; `single` where one number is
    the answer."""

    kind: ClassVar[str] = "ridge-on-lags"
    weights: Values
    bias: Reals
    relative: bool
    single: bool

    def predict(self, table: ClassicalTable) -> Predictions:
        inputs, last = _inputs(table, self.relative)
        answers = inputs @ self.weights + self.bias + (last if self.relative else 0.0)
        return np.asarray(answers[:, 0] if self.single else answers, dtype=np.float32)

    def stored(self) -> Stored:
        plain = {"relative": self.relative, "single": self.single}
        return Stored(self.kind, plain, {"weights": self.weights, "bias": self.bias})

    @classmethod
    def from_stored(cls, stored: Stored) -> FittedRidge:
        own, plain = stored.arrays, stored.plain
        return FittedRidge(own["weights"], own["bias"], bool(plain["relative"]), bool(plain["single"]))
