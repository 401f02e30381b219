"""Support vector machine: the widest margin between classes, with a Gaussian kernel.

Does: places a smooth border by the rows nearest to it, over standardised numbers and one-hot levels; scores become
    probabilities by a logistic curve fitted on an inner fifth.
Helps: small tables with smooth borders, where it often matches a network in a second.
Misleads: time grows with the square of the rows, so at most 4,000 rows are used; numbers with heavy tails stretch its kernel.
Source: Cortes & Vapnik 1995, doi:10.1007/BF00994018; Platt 1999 (probabilities); scikit-learn's SVC and SVR.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC, SVR

from liebig.classical.challenger import (
    Answerer,
    Challenger,
    Constant,
    Question,
    Shape,
    as_predictions,
    constant_answer,
    inner_split,
)
from liebig.classical.dense import DenseEncoding
from liebig.classical.table import ClassicalTable
from liebig.core.arrays import Predictions, Reals


@dataclass(frozen=True, slots=True)
class SupportVectors(Challenger):
    """`softness` is C: what a row on the wrong side costs. `iterations` bounds the solver."""

    name: str = "support-vectors"
    title: str = "support vector machine"
    rows_cap: int = 4_000
    softness: float = 1.0
    iterations: int = 100_000

    def predicted_seconds(self, shape: Shape) -> float:
        rows = min(shape.rows, self.rows_cap)
        width = shape.numbers + 30 * shape.categories + 20
        return 0.05 + 1e-10 * rows * rows * width * (1 + shape.outputs / 2)

    def learn(
        self, table: ClassicalTable, target: Reals, question: Question, seed: int, weights: Reals | None
    ) -> Answerer:
        encoding = DenseEncoding.fit(table)
        inputs = encoding.encode(table)
        with warnings.catch_warnings():
            # The cap on iterations bounds the time; a model short of its optimum is still judged as it is.
            warnings.simplefilter("ignore", ConvergenceWarning)
            if not question.kind.is_classification:
                mean, spread = float(target.mean()), float(target.std())
                machine = SVR(C=self.softness, max_iter=self.iterations, cache_size=500)
                machine.fit(inputs, (target - mean) / spread, sample_weight=weights)
                return FittedRegression(encoding, machine, mean, spread)
            fit, judge = inner_split(target, question.kind, seed)
            if np.unique(target[fit]).size < 2 or np.unique(target[judge]).size < 2:
                return Constant(constant_answer(target, question, weights))
            inner = None if weights is None else weights[fit]
            border = SVC(C=self.softness, max_iter=self.iterations, cache_size=500)
            border.fit(inputs[fit], target[fit], sample_weight=inner)
            curve = LogisticRegression(C=10.0, max_iter=200)
            curve.fit(_scores(border, inputs[judge]), target[judge])
        return FittedBorder(encoding, border, curve, question)


def _scores(border: Any, inputs: NDArray[np.float32]) -> NDArray[Any]:
    scores = border.decision_function(inputs)
    return np.asarray(scores[:, None] if scores.ndim == 1 else scores)


@dataclass(frozen=True, slots=True, eq=False)
class FittedBorder(Answerer):
    encoding: DenseEncoding
    border: Any
    curve: Any
    question: Question

    def predict(self, table: ClassicalTable) -> Predictions:
        scores = _scores(self.border, self.encoding.encode(table))
        return as_predictions(self.curve.predict_proba(scores), self.curve.classes_, self.question)


@dataclass(frozen=True, slots=True, eq=False)
class FittedRegression(Answerer):
    encoding: DenseEncoding
    machine: Any
    mean: float
    spread: float

    def predict(self, table: ClassicalTable) -> Predictions:
        return np.asarray(self.machine.predict(self.encoding.encode(table)) * self.spread + self.mean, dtype=np.float32)
