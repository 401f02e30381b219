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
from typing import Any, ClassVar, Final

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
from liebig.classical.storing import Stored, beneath, within
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
    kind: ClassVar[str] = "border"
    encoding: DenseEncoding
    border: Any
    curve: Any
    question: Question

    def predict(self, table: ClassicalTable) -> Predictions:
        scores = _scores(self.border, self.encoding.encode(table))
        return as_predictions(self.curve.predict_proba(scores), self.curve.classes_, self.question)

    def stored(self) -> Stored:
        arrays = within("encoding", self.encoding.arrays()) | within("machine", _arrays_of(self.border))
        arrays |= {"machine.classes_": self.border.classes_, "curve.weights": self.curve.coef_}
        arrays |= {"curve.bias": self.curve.intercept_, "curve.present": self.curve.classes_}
        plain = {**self.question.plain(), "gamma": float(self.border._gamma), "inputs": self.border.n_features_in_}
        return Stored(self.kind, plain, arrays)

    @classmethod
    def from_stored(cls, stored: Stored) -> FittedBorder:
        arrays = stored.arrays
        border = _machine_of(SVC(), stored)
        border.classes_ = arrays["machine.classes_"]
        curve = LogisticRegression()
        curve.coef_, curve.intercept_, curve.classes_ = (
            arrays["curve.weights"], arrays["curve.bias"], arrays["curve.present"]
        )  # fmt: skip
        curve.n_features_in_ = curve.coef_.shape[1]
        encoding = DenseEncoding.from_arrays(beneath("encoding", arrays))
        return FittedBorder(encoding, border, curve, Question.from_plain(stored.plain))


@dataclass(frozen=True, slots=True, eq=False)
class FittedRegression(Answerer):
    kind: ClassVar[str] = "support-regression"
    encoding: DenseEncoding
    machine: Any
    mean: float
    spread: float

    def predict(self, table: ClassicalTable) -> Predictions:
        return np.asarray(self.machine.predict(self.encoding.encode(table)) * self.spread + self.mean, dtype=np.float32)

    def stored(self) -> Stored:
        arrays = within("encoding", self.encoding.arrays()) | within("machine", _arrays_of(self.machine))
        plain = {"gamma": float(self.machine._gamma), "inputs": self.machine.n_features_in_, "mean": self.mean,
                 "spread": self.spread}  # fmt: skip
        return Stored(self.kind, plain, arrays)

    @classmethod
    def from_stored(cls, stored: Stored) -> FittedRegression:
        encoding = DenseEncoding.from_arrays(beneath("encoding", stored.arrays))
        machine = _machine_of(SVR(), stored)
        return FittedRegression(encoding, machine, float(stored.plain["mean"]), float(stored.plain["spread"]))


#: What libsvm answers by, under scikit-learn's names.
_FITTED: Final = (
    "support_", "support_vectors_", "_n_support", "dual_coef_", "intercept_", "_dual_coef_", "_intercept_", "_probA", "_probB",
)  # fmt: skip


def _arrays_of(machine: Any) -> dict[str, NDArray[Any]]:
    return {name: np.asarray(getattr(machine, name)) for name in _FITTED}


def _machine_of(machine: Any, stored: Stored) -> Any:
    """`machine` as it was when it was stored. Raises ValueError where its numbers do not belong together: libsvm trusts
    them."""
    arrays = beneath("machine", stored.arrays)
    vectors, inputs = arrays["support_vectors_"], int(stored.plain["inputs"])
    count, borders = len(vectors), max(len(arrays["_n_support"]) - 1, 1)
    fits = vectors.shape == (count, inputs) and len(arrays["support_"]) == count
    if not fits or arrays["_dual_coef_"].shape != (borders, count) or arrays["_n_support"].min() < 0:
        raise ValueError("the support vectors do not belong together")
    for name in _FITTED:
        setattr(machine, name, np.ascontiguousarray(arrays[name]))
    machine._gamma, machine.n_features_in_ = float(stored.plain["gamma"]), inputs
    machine._sparse, machine.shape_fit_, machine.fit_status_ = False, (count, inputs), 0
    return machine
