"""How well does one column predict the target by itself? Fast, out of sample, between 0 (chance) and 1 (perfect).

The column is cut into bins; each half of the rows is answered by what its bins' rows of the other half say. Two classes: 2
AUC - 1. More: the share of the error of always saying the commonest class that is removed. Numbers: R².
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liebig.core.arrays import Reals
from liebig.core.metric import ROC_AUC
from liebig.core.task import TaskKind

_BINS: Final = 64
_BIN_ROWS: Final = 20  # fewer rows a bin, and their mean says little
_LEVELS: Final = 256  # rarer levels are one bin
_PRIOR_ROWS: Final = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class ScoredTarget:
    """The target [rows] of the rows that columns are scored on, and their two halves."""

    target: Reals
    kind: TaskKind
    classes: int
    seed: int
    second: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        half = np.random.default_rng([self.seed, 0x51C0]).permutation(len(self.target)) % 2 == 1
        object.__setattr__(self, "second", half)


def bins_of_numbers(values: Reals) -> NDArray[np.int64]:
    """Bin of each number [rows]: 0 for missing, else by quantile."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(len(values), np.int64)
    bins_wanted = min(_BINS, max(4, len(known) // _BIN_ROWS))
    edges = np.unique(np.quantile(known, np.linspace(0.0, 1.0, bins_wanted + 1)))
    bins = np.searchsorted(edges, values, side="right")
    return np.where(np.isnan(values), 0, bins).astype(np.int64)


def bins_of_levels(codes: NDArray[np.int32]) -> NDArray[np.int64]:
    """Bin of each level [rows]: 0 for missing, codes being in the order of commonness."""
    return np.minimum(codes, _LEVELS).clip(-1).astype(np.int64) + 1


def single_score(bins: NDArray[np.int64], scored: ScoredTarget) -> float:
    """The score of one column, by its bins [rows]."""
    target, second = scored.target, scored.second
    if len(target) < 4 or bins.min() == bins.max():
        return 0.0
    if scored.kind is TaskKind.MULTICLASS:
        return _of_classes(bins, target.astype(np.int64), scored)
    answers = np.empty(len(target))
    for own in (second, ~second):
        answers[own] = _means(bins[~own], target[~own], int(bins.max()) + 1)[bins[own]]
    if scored.kind is TaskKind.BINARY:
        area = ROC_AUC.score(target, answers.astype(np.float32))
        return max(0.0, 2.0 * area - 1.0) if np.isfinite(area) else 0.0
    spread = float(((target - target.mean()) ** 2).sum())
    return max(0.0, 1.0 - float(((target - answers) ** 2).sum()) / spread) if spread > 0 else 0.0


def _means(bins: NDArray[np.int64], values: Reals, count: int) -> Reals:
    rows, sums = np.bincount(bins, minlength=count), np.bincount(bins, values, minlength=count)
    prior = float(values.mean()) if len(values) else 0.0
    return np.asarray((sums + _PRIOR_ROWS * prior) / (rows + _PRIOR_ROWS), dtype=np.float64)


def _of_classes(bins: NDArray[np.int64], target: NDArray[np.int64], scored: ScoredTarget) -> float:
    count, right = int(bins.max()) + 1, 0
    for own in (scored.second, ~scored.second):
        table = np.bincount(bins[~own] * scored.classes + target[~own], minlength=count * scored.classes)
        table = table.reshape(count, scored.classes)
        commonest = int(table.sum(axis=0).argmax())
        said = np.where(table.sum(axis=1) > 0, table.argmax(axis=1), commonest)
        right += int((said[bins[own]] == target[own]).sum())
    chance = float(np.bincount(target).max() / len(target))
    return max(0.0, (right / len(target) - chance) / (1.0 - chance)) if chance < 1.0 else 0.0
