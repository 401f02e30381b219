"""Linear model: logistic regression, or ridge regression for numbers.

Does: adds the inputs up, each with a weight of its own; a penalty on squared weights, chosen on an inner fifth of the rows.
Helps: as the yardstick that says whether a network's bends earn anything; wide tables, word counts, few rows.
Misleads: bends and interactions are invisible to it; category levels beyond the 128 commonest of a column are not seen.
Source: Hoerl & Kennard 1970 (ridge); Cox 1958 (logistic); scikit-learn's LogisticRegression and Ridge.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from liebig.classical.challenger import (
    Answerer,
    Challenger,
    Question,
    Shape,
    as_predictions,
    inner_split,
    loss_of,
)
from liebig.classical.dense import DenseEncoding
from liebig.classical.storing import Stored, beneath, within
from liebig.classical.table import ClassicalTable
from liebig.core.arrays import Predictions, Reals

#: The strength is chosen on at most so many rows.
_CHOOSING = 4000


@dataclass(frozen=True, slots=True)
class Linear(Challenger):
    """`strengths` are tried: each the penalty on the mean squared weight against the mean loss, as variance shares of a row."""

    name: str = "linear"
    title: str = "linear model"
    rows_cap: int = 100_000
    strengths: tuple[float, ...] = (0.1, 1.0, 10.0, 100.0)
    iterations: int = 100

    def predicted_seconds(self, shape: Shape) -> float:
        width = shape.numbers + 30 * shape.categories
        return 0.05 + 5e-10 * min(shape.rows, self.rows_cap) * width * shape.outputs * self.iterations

    def learn(
        self, table: ClassicalTable, target: Reals, question: Question, seed: int, weights: Reals | None
    ) -> Answerer:
        encoding = DenseEncoding.fit(table)
        inputs = encoding.encode(table)
        fit, choose = inner_split(target, question.kind, seed)
        fit, choose = fit[:: max(len(fit) // _CHOOSING, 1)], choose[:: max(len(choose) // _CHOOSING, 1)]
        strength = self.strengths[len(self.strengths) // 2]
        if np.unique(target[fit]).size > 1:
            inner = None if weights is None else weights[fit]
            losses = [
                loss_of(self._solve(inputs[fit], target[fit], question, each, inner, encoding).of(inputs[choose]),
                        target[choose], question.kind)
                for each in self.strengths
            ]  # fmt: skip
            strength = self.strengths[int(np.argmin(losses))]
        return self._solve(inputs, target, question, strength, weights, encoding)

    def _solve(
        self,
        inputs: Any,
        target: Reals,
        question: Question,
        strength: float,
        weights: Reals | None,
        encoding: DenseEncoding,
    ) -> FittedLinear:
        if question.kind.is_classification:
            model: Any = LogisticRegression(C=1.0 / strength, max_iter=self.iterations, tol=1e-3)
        else:
            model = Ridge(alpha=strength)
        with warnings.catch_warnings():
            # The cap on iterations bounds the time; a model short of its optimum is still judged as it is.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(inputs, target, sample_weight=weights)
        return FittedLinear(encoding, model, question)


@dataclass(frozen=True, slots=True, eq=False)
class FittedLinear(Answerer):
    kind: ClassVar[str] = "linear"
    encoding: DenseEncoding
    model: Any
    question: Question

    def of(self, inputs: Any) -> Predictions:
        """Answers for encoded rows."""
        if self.question.kind.is_classification:
            return as_predictions(self.model.predict_proba(inputs), self.model.classes_, self.question)
        return np.asarray(self.model.predict(inputs), dtype=np.float32)

    def predict(self, table: ClassicalTable) -> Predictions:
        return self.of(self.encoding.encode(table))

    def stored(self) -> Stored:
        arrays = {"weights": np.asarray(self.model.coef_), "bias": np.atleast_1d(self.model.intercept_)}
        if self.question.kind.is_classification:
            arrays["present"] = np.asarray(self.model.classes_)
        plain = {**self.question.plain(), "single": np.ndim(self.model.intercept_) == 0}
        return Stored(self.kind, plain, within("encoding", self.encoding.arrays()) | arrays)

    @classmethod
    def from_stored(cls, stored: Stored) -> FittedLinear:
        question, arrays = Question.from_plain(stored.plain), stored.arrays
        model: Any = LogisticRegression() if question.kind.is_classification else Ridge()
        if question.kind.is_classification:
            model.classes_ = arrays["present"]
        model.coef_, model.n_features_in_ = arrays["weights"], arrays["weights"].shape[-1]
        model.intercept_ = float(arrays["bias"][0]) if stored.plain["single"] else arrays["bias"]
        return FittedLinear(DenseEncoding.from_arrays(beneath("encoding", arrays)), model, question)
