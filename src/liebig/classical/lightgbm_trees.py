"""Boosted trees by LightGBM: leaf by leaf, with categories as sets.

Does: as boosted trees, but grows the leaf that gains most and takes `columns` of the columns for each tree. Needs the extra
    "lightgbm".
Helps: large tables, and where a tree on part of the columns averages better.
Misleads: grown leaf by leaf it overfits tables under a few thousand rows sooner than trees grown level by level.
Source: Ke et al. 2017, "LightGBM: A Highly Efficient Gradient Boosting Decision Tree".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from liebig.classical.challenger import Answerer, Challenger, Question, Shape, as_predictions, inner_split
from liebig.classical.levels import TreeEncoding
from liebig.classical.storing import Stored, beneath, within
from liebig.classical.table import ClassicalTable
from liebig.core.arrays import Predictions, Reals
from liebig.core.errors import UserError
from liebig.core.task import TaskKind

try:
    import lightgbm
except ImportError:  # an extra: the other challengers stand without it
    lightgbm = None


@dataclass(frozen=True, slots=True)
class LightGBMTrees(Challenger):
    """`rate`, `trees` and `patience` as in boosted trees; `columns` is the share of columns that one tree may use."""

    name: str = "lightgbm"
    title: str = "boosted trees (LightGBM)"
    rows_cap: int = 500_000
    rate: float = 0.05
    trees: int = 400
    patience: int = 30
    columns: float = 0.8

    @property
    def is_installed(self) -> bool:
        return lightgbm is not None

    def varies(self, rows: int) -> bool:
        return self.columns < 1.0

    def predicted_seconds(self, shape: Shape) -> float:
        rows = min(shape.rows, self.rows_cap)
        return 0.1 + self.trees * shape.outputs * (3e-4 + 1e-9 * rows * (shape.numbers + shape.categories))

    def learn(
        self, table: ClassicalTable, target: Reals, question: Question, seed: int, weights: Reals | None
    ) -> Answerer:
        _require_installed()
        encoding = TreeEncoding.fit(table)
        inputs = encoding.encode(table)
        fit, stop = inner_split(target, question.kind, seed)
        a = len(table.number_names)
        settings = {
            "objective": _OBJECTIVES[question.kind],
            "learning_rate": self.rate,
            "feature_fraction": self.columns,
            "seed": seed % (1 << 31),
            "verbosity": -1,
            **({"num_class": question.classes} if question.kind is TaskKind.MULTICLASS else {}),
        }
        parts: list[Any] = []
        for rows in (fit, stop):
            weight = None if weights is None else weights[rows]
            categories = list(range(a, a + len(table.category_names)))
            reference = parts[0] if parts else None
            parts.append(
                lightgbm.Dataset(
                    inputs[rows], target[rows], weight=weight, categorical_feature=categories, reference=reference
                )
            )
        stopping = lightgbm.early_stopping(self.patience, verbose=False)
        model = lightgbm.train(settings, parts[0], self.trees, valid_sets=[parts[1]], callbacks=[stopping])
        return FittedLightGBM(encoding, model, question, np.unique(target))


_OBJECTIVES = {TaskKind.BINARY: "binary", TaskKind.MULTICLASS: "multiclass", TaskKind.REGRESSION: "regression"}


@dataclass(frozen=True, slots=True, eq=False)
class FittedLightGBM(Answerer):
    kind: ClassVar[str] = "lightgbm"
    encoding: TreeEncoding
    model: Any
    question: Question
    present: Reals  # the classes that were there to learn

    def predict(self, table: ClassicalTable) -> Predictions:
        answers = np.asarray(self.model.predict(self.encoding.encode(table)))
        if self.question.kind is TaskKind.MULTICLASS:
            answers = answers[:, self.present.astype(np.int64)]
            return as_predictions(answers / answers.sum(axis=1, keepdims=True), self.present, self.question)
        return answers.astype(np.float32)

    def stored(self) -> Stored:
        arrays = within("encoding", self.encoding.arrays()) | {"present": np.asarray(self.present, dtype=np.float64)}
        return Stored(self.kind, {**self.question.plain(), "trees": self.model.model_to_string()}, arrays)

    @classmethod
    def from_stored(cls, stored: Stored) -> FittedLightGBM:
        _require_installed()
        encoding = TreeEncoding.from_arrays(beneath("encoding", stored.arrays))
        model = lightgbm.Booster(model_str=stored.plain["trees"])
        return FittedLightGBM(encoding, model, Question.from_plain(stored.plain), stored.arrays["present"])


def _require_installed() -> None:
    if lightgbm is None:
        raise UserError('LightGBM is not installed; install it with pip install "liebig[lightgbm]"')
