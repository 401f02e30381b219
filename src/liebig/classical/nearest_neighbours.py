"""Nearest neighbours: the answer of the rows that lie closest.

Does: averages the targets of the nearest rows, weighted by closeness, over standardised numbers and one-hot levels; how many
    rows is chosen on an inner fifth. Probabilities are drawn one row's worth toward the classes' shares.
Helps: where likeness is local and columns are few; a quick answer to "do similar rows have similar targets?".
Misleads: every column counts alike, so useless columns drown the useful ones; at most 10,000 rows are kept; row weights are
    not used.
Source: Fix & Hodges 1951; Cover & Hart 1967, doi:10.1109/TIT.1967.1053964; scikit-learn's NearestNeighbors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from liebig.classical.challenger import (
    Answerer,
    Challenger,
    Question,
    Shape,
    as_predictions,
    constant_answer,
    inner_split,
    loss_of,
)
from liebig.classical.dense import DenseEncoding
from liebig.classical.storing import Stored, beneath, within
from liebig.classical.table import ClassicalTable
from liebig.core.arrays import Predictions, Reals
from liebig.core.task import TaskKind

#: Rows asked about at a time: bounds the memory of the distances.
_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class NearestNeighbour(Challenger):
    """`counts` are the numbers of neighbours that are tried."""

    name: str = "nearest-neighbours"
    title: str = "nearest neighbours"
    rows_cap: int = 10_000
    counts: tuple[int, ...] = (5, 15, 45)

    def predicted_seconds(self, shape: Shape) -> float:
        rows = min(shape.rows, self.rows_cap)
        return 0.05 + 2e-11 * rows * rows * (shape.numbers + 30 * shape.categories + 5)

    def learn(
        self, table: ClassicalTable, target: Reals, question: Question, seed: int, weights: Reals | None
    ) -> Answerer:
        encoding = DenseEncoding.fit(table)
        fit, choose = inner_split(target, question.kind, seed)
        inner = Neighbourhood.of(encoding, table.take(fit), target[fit], question, max(self.counts))
        near = inner.nearest(encoding.encode(table.take(choose)))
        counts = [each for each in self.counts if each <= len(fit)] or [len(fit)]
        losses = [loss_of(inner.answer(*near, each), target[choose], question.kind) for each in counts]
        best = counts[int(np.argmin(losses))]
        return Neighbourhood.of(encoding, table, target, question, best)


@dataclass(frozen=True, slots=True, eq=False)
class Neighbourhood(Answerer):
    """Encoded rows `known` float32 [n, width] with their targets, and how many of them answer."""

    kind: ClassVar[str] = "neighbours"
    encoding: DenseEncoding
    known: NDArray[np.float32]
    index: Any
    target: Reals
    question: Question
    count: int

    @staticmethod
    def of(
        encoding: DenseEncoding, table: ClassicalTable, target: Reals, question: Question, count: int
    ) -> Neighbourhood:
        return Neighbourhood.among(encoding, encoding.encode(table), target, question, min(count, table.rows))

    @staticmethod
    def among(
        encoding: DenseEncoding, known: NDArray[np.float32], target: Reals, question: Question, count: int
    ) -> Neighbourhood:
        """Of rows that are encoded already."""
        index = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(known)
        return Neighbourhood(encoding, known, index, target, question, count)

    def nearest(self, inputs: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Distances and row numbers of the nearest rows, both [n, count], nearest first."""
        found = [self.index.kneighbors(inputs[i : i + _AT_ONCE]) for i in range(0, len(inputs), _AT_ONCE)]
        return np.concatenate([each[0] for each in found]), np.concatenate([each[1] for each in found])

    def answer(self, distances: NDArray[Any], rows: NDArray[Any], count: int) -> Predictions:
        """The answer of the first `count` neighbours."""
        distances, targets = distances[:, :count], self.target[rows[:, :count]]
        # Closeness relative to the row's typical neighbour, so that an exact copy counts much but not for everything; a
        # row is answered alike whichever others are asked about with it.
        typical = np.maximum(np.median(distances, axis=1, keepdims=True), 1e-9)
        closeness = 1.0 / (distances + 0.1 * typical)
        closeness /= closeness.sum(axis=1, keepdims=True)
        if not self.question.kind.is_classification:
            return np.asarray((closeness * targets).sum(axis=1), dtype=np.float32)
        present = np.unique(self.target)
        votes = np.stack([(closeness * (targets == each)).sum(axis=1) for each in present], axis=1)
        votes = as_predictions(votes, present, self.question)
        shares = constant_answer(self.target, self.question, None)
        return np.asarray((count * votes + shares) / (count + 1), dtype=np.float32)

    def predict(self, table: ClassicalTable) -> Predictions:
        if table.rows == 0:
            width = (self.question.classes,) if self.question.kind is TaskKind.MULTICLASS else ()
            return np.zeros((0, *width), dtype=np.float32)
        return self.answer(*self.nearest(self.encoding.encode(table)), self.count)

    def stored(self) -> Stored:
        arrays: dict[str, NDArray[Any]] = {"known": self.known, "target": np.asarray(self.target, dtype=np.float64)}
        plain = {**self.question.plain(), "count": self.count}
        return Stored(self.kind, plain, within("encoding", self.encoding.arrays()) | arrays)

    @classmethod
    def from_stored(cls, stored: Stored) -> Neighbourhood:
        encoding = DenseEncoding.from_arrays(beneath("encoding", stored.arrays))
        question, count = Question.from_plain(stored.plain), int(stored.plain["count"])
        return Neighbourhood.among(encoding, stored.arrays["known"], stored.arrays["target"], question, count)
