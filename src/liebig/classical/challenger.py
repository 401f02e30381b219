"""What every classical algorithm promises: one fit, one predict, in bounded time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from liebig.classical.storing import Stored
from liebig.classical.table import ClassicalTable
from liebig.core.arrays import Predictions, Reals
from liebig.core.task import TaskKind


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the kind of answer and the number of classes (0 for numbers)."""

    kind: TaskKind
    classes: int = 0

    @property
    def outputs(self) -> int:
        return self.classes if self.kind is TaskKind.MULTICLASS else 1

    def plain(self) -> dict[str, Any]:
        return {"kind": self.kind.value, "classes": self.classes}

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> Question:
        return Question(TaskKind(plain["kind"]), int(plain["classes"]))


@dataclass(frozen=True, slots=True)
class Shape:
    """What a fit costs by: rows, number columns, category columns, outputs."""

    rows: int
    numbers: int
    categories: int
    outputs: int


class Answerer(ABC):
    """An algorithm that was fitted. `kind` names it where it is kept."""

    kind: ClassVar[str]

    @abstractmethod
    def predict(self, table: ClassicalTable) -> Predictions:
        """Answers for rows of the same columns, as in `core.arrays.Predictions`."""

    @abstractmethod
    def stored(self) -> Stored:
        """All of it as data."""

    @classmethod
    @abstractmethod
    def from_stored(cls, stored: Stored) -> Answerer:
        """The algorithm that was stored: it answers the same. Raises ValueError or KeyError for damaged data."""


class Challenger(ABC):
    """One algorithm with its settings. Concrete ones are frozen dataclasses in a file of their own."""

    name: str
    title: str
    #: Rows beyond these are left out (drawn by the seed): what keeps the time bounded.
    rows_cap: int

    @property
    def is_installed(self) -> bool:
        """False where the algorithm needs an extra that is absent."""
        return True

    def applies(self, shape: Shape) -> bool:
        """False where it would answer as another challenger does."""
        return True

    def varies(self, rows: int) -> bool:
        """True where fits of so many rows under several seeds differ, so that their mean answers better than one."""
        return False

    @abstractmethod
    def predicted_seconds(self, shape: Shape) -> float:
        """Seconds of a fit on two cores, from shapes alone; right to a factor of about three."""

    @abstractmethod
    def learn(
        self, table: ClassicalTable, target: Reals, question: Question, seed: int, weights: Reals | None
    ) -> Answerer:
        """Fit rows that are few enough, with at least two different targets."""

    def fit(
        self,
        table: ClassicalTable,
        target: Reals,
        kind: TaskKind,
        classes: int = 0,
        *,
        seed: int = 0,
        weights: Reals | None = None,
    ) -> Answerer:
        """Fit all rows of `table` (at most `rows_cap` of them).

        `target` float64 [n]: class codes 0..classes-1, or numbers ([n, horizon] for forecasts). `weights` float64 [n] or None. A class that no row has is
        answered with probability 0. Raises ValueError when lengths disagree or there is no row.
        """
        if table.rows == 0 or len(target) != table.rows:
            raise ValueError(f"as many targets as rows are needed, however {len(target)} and {table.rows} came")
        question = Question(kind, classes)
        rows = drawn_rows(target, kind, self.rows_cap, seed)
        if len(rows) < table.rows:
            table, target = table.take(rows), target[rows]
            weights = None if weights is None else weights[rows]
        if np.all(target == target[0]) or not (table.number_names or table.category_names):
            return Constant(constant_answer(target, question, weights))
        return self.learn(table, target, question, seed, weights)


@dataclass(frozen=True, slots=True, eq=False)
class Constant(Answerer):
    """The same answer for every row: where there is nothing to learn. `answer` float32 [] or [classes]."""

    kind: ClassVar[str] = "constant"
    answer: NDArray[np.float32]

    def predict(self, table: ClassicalTable) -> Predictions:
        return np.broadcast_to(self.answer, (table.rows, *self.answer.shape)).copy()

    def stored(self) -> Stored:
        return Stored(self.kind, {"single": self.answer.ndim == 0}, {"answer": np.atleast_1d(self.answer)})

    @classmethod
    def from_stored(cls, stored: Stored) -> Constant:
        answer = stored.arrays["answer"]
        return Constant(answer.reshape(()) if stored.plain["single"] else answer)


def constant_answer(target: Reals, question: Question, weights: Reals | None) -> NDArray[np.float32]:
    """The answer that ignores its input: shares of the classes, or the mean."""
    if not question.kind.is_classification:
        return np.asarray(np.average(target, axis=0, weights=weights), dtype=np.float32)
    counts = np.bincount(target.astype(np.int64), weights, minlength=max(question.classes, 2))
    shares = (counts / counts.sum()).astype(np.float32)
    return shares if question.kind is TaskKind.MULTICLASS else np.asarray(shares[1])


def drawn_rows(target: Reals, kind: TaskKind, cap: int, seed: int) -> NDArray[np.int64]:
    """At most `cap` row numbers, ascending; of classes in proportion, with at least one row (two where there are two) of
    each class as long as `cap` allows."""
    n = len(target)
    if n <= cap:
        return np.arange(n)
    random = np.random.default_rng(seed)
    order = random.permutation(n)
    if kind.is_classification:
        codes = target[order].astype(np.int64)
        _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
        by_class = np.argsort(inverse, kind="stable")
        place = np.empty(n, dtype=np.int64)  # 0, 1, 2, ... within the row's class
        place[by_class] = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)
        # The first two of each class come first, the rest in turn by how far through its class a row is.
        order = order[np.argsort(np.where(place < 2, -1.0, place / counts[inverse]), kind="stable")]
    return np.sort(order[:cap])


def as_predictions(probabilities: NDArray[Any], present: NDArray[Any], question: Question) -> Predictions:
    """Probabilities [n, k] of the classes `present` [k] as predictions over all classes."""
    n = len(probabilities)
    whole = np.zeros((n, max(question.classes, 2)), dtype=np.float32)
    whole[:, present.astype(np.int64)] = probabilities
    return whole if question.kind is TaskKind.MULTICLASS else whole[:, 1]


def inner_split(target: Reals, kind: TaskKind, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to fit (four fifths) and rows to choose settings on (one fifth), both ascending; classes in proportion, and
    every class keeps rows to fit."""
    n = len(target)
    fit = drawn_rows(target, kind, max(n - max(n // 5, 1), 1), seed)
    choose = np.setdiff1d(np.arange(n), fit, assume_unique=True)
    return fit, choose


def loss_of(predictions: Predictions, target: Reals, kind: TaskKind) -> float:
    """Mean log-loss of classes or mean squared error of numbers: what settings are chosen by."""
    if not kind.is_classification:
        return float(np.mean((predictions - target) ** 2))
    if predictions.ndim == 1:
        given = np.where(target > 0.5, predictions, 1.0 - predictions)
    else:
        given = predictions[np.arange(len(target)), target.astype(np.int64)]
    return float(-np.mean(np.log(np.maximum(given.astype(np.float64), 1e-7))))
