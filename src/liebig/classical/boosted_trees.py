"""Boosted trees: many small trees, each for what the ones before it left over.

Does: cuts numbers into 255 bins and adds one small tree after another; missing values and category levels are split on as
    they are (or, `native` off, levels as numbers in the order of how common they are).
Helps: columns of unlike kinds, thresholds, rare levels: the usual winner on tables, and in a second. Blend it with networks.
Misleads: answers are steps and never leave the range of the training targets; two codings of categories can differ more than
    trees and networks do, so both are tried; rarer than the 254 commonest levels of a column are one level.
Source: Friedman 2001, doi:10.1214/aos/1013203451; Ke et al. 2017 (LightGBM); scikit-learn's HistGradientBoosting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from liebig.classical.challenger import Answerer, Challenger, Question, Shape, as_predictions
from liebig.classical.forest import Forest
from liebig.classical.levels import TreeEncoding
from liebig.classical.storing import Stored, beneath, within
from liebig.classical.table import ClassicalTable
from liebig.core.arrays import Predictions, Reals

#: Below so many rows a tenth is too few to stop by.
_ENOUGH_TO_STOP = 1000


@dataclass(frozen=True, slots=True)
class BoostedTrees(Challenger):
    """`rate` is each tree's weight, `trees` the most that are added (for each class), fewer where the loss on an inner tenth
    has not fallen for `patience` trees (0: never stop early). A tree has at most so many `leaves`; each split chooses among a share `columns` of the columns."""

    name: str = "boosted-trees"
    title: str = "boosted trees"
    rows_cap: int = 200_000
    rate: float = 0.1
    trees: int = 100
    patience: int = 10
    native: bool = True
    leaves: int = 31
    columns: float = 1.0

    def applies(self, shape: Shape) -> bool:
        return self.native or shape.categories > 0

    def varies(self, rows: int) -> bool:
        # Other columns are drawn for each split, or another inner tenth.
        return self.columns < 1.0 or (self.patience > 0 and rows >= _ENOUGH_TO_STOP)

    def predicted_seconds(self, shape: Shape) -> float:
        rows = min(shape.rows, self.rows_cap)
        columns = shape.numbers + shape.categories
        each = 5e-4 + 1e-5 * columns + 1e-9 * rows * columns + 2e-8 * rows
        return 0.1 + self.trees * shape.outputs * each * (1.0 + self.leaves / 31.0) / 2.0

    def learn(
        self, table: ClassicalTable, target: Reals, question: Question, seed: int, weights: Reals | None
    ) -> Answerer:
        encoding = TreeEncoding.fit(table)
        kind = HistGradientBoostingClassifier if question.kind.is_classification else HistGradientBoostingRegressor
        is_category = np.arange(len(table.number_names) + len(table.category_names)) >= len(table.number_names)
        model = kind(
            learning_rate=self.rate,
            max_iter=self.trees,
            categorical_features=is_category if self.native and is_category.any() else None,
            early_stopping=self.patience > 0 and _can_hold_out(target, question),
            validation_fraction=0.1,
            n_iter_no_change=max(self.patience, 1),
            max_leaf_nodes=self.leaves,
            max_features=self.columns,
            random_state=seed % (1 << 32),
        )
        model.fit(encoding.encode(table), target, sample_weight=weights)
        present = np.asarray(model.classes_) if question.kind.is_classification else np.zeros(0)
        return FittedTrees(encoding, Forest.of(model), present, question)


def _can_hold_out(target: Reals, question: Question) -> bool:
    """A stratified tenth needs enough rows, two of each class, and as many rows as there are classes."""
    if len(target) < _ENOUGH_TO_STOP:
        return False
    if not question.kind.is_classification:
        return True
    counts = np.unique(target, return_counts=True)[1]
    return bool(counts.min() >= 2 and len(target) // 10 >= len(counts))


@dataclass(frozen=True, slots=True, eq=False)
class FittedTrees(Answerer):
    """`present` are the classes that were there to learn, float64 [classes], empty for numbers."""

    kind: ClassVar[str] = "trees"
    encoding: TreeEncoding
    forest: Forest
    present: Reals
    question: Question

    def predict(self, table: ClassicalTable) -> Predictions:
        inputs = self.encoding.encode(table)
        if self.question.kind.is_classification:
            return as_predictions(self.forest.probabilities(inputs), self.present, self.question)
        return np.asarray(self.forest.raw(inputs)[:, 0], dtype=np.float32)

    def stored(self) -> Stored:
        arrays = within("encoding", self.encoding.arrays()) | within("forest", self.forest.arrays())
        return Stored(self.kind, self.question.plain(), arrays | {"present": self.present})

    @classmethod
    def from_stored(cls, stored: Stored) -> FittedTrees:
        encoding = TreeEncoding.from_arrays(beneath("encoding", stored.arrays))
        forest = Forest.from_arrays(beneath("forest", stored.arrays))
        return FittedTrees(encoding, forest, stored.arrays["present"], Question.from_plain(stored.plain))
