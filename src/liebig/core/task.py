"""The task: what is to be learnt, and how success is measured."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

from liebig.core.arrays import Reals, Rows
from liebig.core.metric import Metric

D = TypeVar("D", covariant=True)


class TaskKind(StrEnum):
    """What kind of answer is learnt."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    PLACES = "places"  # several classes or numbers a row: `core.places` says which

    @property
    def is_classification(self) -> bool:
        """Whether the answer to a row is one class."""
        return self in {TaskKind.BINARY, TaskKind.MULTICLASS}


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The rows of a task. Nothing but the final report reads `sealed`, once.

    `work` and `sealed` are disjoint row numbers. `fixed_select` is the user's own validation set inside `work`,
    or None when blocks choose their own. `test_given` is True when the user gave the sealed part.
    """

    work: Rows
    sealed: Rows
    fixed_select: Rows | None = None
    test_given: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Task(Generic[D]):
    """What is to be learnt: the data, the target, the metric, the parts.

    `target`: float64 [rows]; class codes 0..C-1 in the order of `classes`, or the number itself; where rows have several
    targets, their mean; [rows, horizon] where the next values of a series are forecast.
    `weights`: float64 [rows], mean 1, or None. `groups`: int64 [rows]; rows of one group stay in one part.
    Exact duplicates share a group. `time`: float64 [rows], sortable; set only with ``--time``. `reach`: what is learnt from
    lies at least so much before the first moment that is judged (a window of a series takes up time).
    `data`: the raw columns; what type it is depends on the kind of data (`data/`).
    """

    name: str
    kind: TaskKind
    target_name: str
    target: Reals
    classes: tuple[str, ...]
    metric: Metric
    parts: Parts
    data: D
    seed: int = 0
    weights: Reals | None = None
    groups: Rows | None = None
    time: Reals | None = None
    reach: float = 0.0

    @property
    def rows(self) -> int:
        return len(self.target)

    @property
    def outputs(self) -> int:
        """Numbers that a network answers for a row: classes for multiclass, steps for a forecast, else one."""
        if self.kind is TaskKind.MULTICLASS:
            return len(self.classes)
        return self.target.shape[1] if self.target.ndim == 2 else 1


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One split, one initialisation, one data order. Everything compared is compared inside the same blocks.

    `fit` trains; whatever is chosen while training (epoch, plateau, threshold) is chosen on `stop`; `select` is
    only scored. The three are disjoint row numbers of the task's work part. A recipe that chooses nothing
    trains on fit and stop together.
    """

    index: int
    fit: Rows
    stop: Rows
    select: Rows
    init_seed: int
    order_seed: int


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How much of the full training a run is: the share of fit rows and of the epochs. Full is (1, 1)."""

    rows: float = 1.0
    epochs: float = 1.0

    @property
    def is_full(self) -> bool:
        return self.rows >= 1.0 and self.epochs >= 1.0


#: Every row, every epoch.
FULL: Final = Fidelity()
