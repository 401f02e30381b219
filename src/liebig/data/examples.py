"""What is the same for pictures and sequences: examples that are no rows of a table."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from liebig.core.arrays import Reals, Rows
from liebig.core.errors import UserError
from liebig.core.evidence import ColumnProfile, DataProfile
from liebig.core.metric import ACCURACY, RMSE, Metric, metric_named
from liebig.core.task import Parts, Task, TaskKind
from liebig.data.table.parts import RARE_CLASS

#: Fewer examples than this cannot be split five ways with something left to learn from.
LEAST_EXAMPLES: Final = 20
_TOLD: Final = 8
_NAN: Final = float("nan")


def check_share(share: float) -> None:
    """Raise UserError for a sealed share that is none."""
    if not 0.0 < share < 1.0:
        raise UserError(f"the sealed share must lie between 0 and 1, however {share} came")


def checked_parts(work: Rows, sealed: Rows, valid: Rows, given: bool, what: str) -> Parts:
    """These rows as parts; `valid` are those that the user validates on, `what` the examples are called. Raises UserError where too
    few are left."""
    select = np.intersect1d(valid, work)
    if len(sealed) == 0 or len(work) - len(select) < LEAST_EXAMPLES // 2:
        raise UserError(
            f"the {what} cannot be split: {len(work) - len(select)} would be left to learn from and {len(sealed)} to judge on"
        )
    return Parts(work, sealed, select if len(select) else None, given)


def note_of_rare(values: Reals, work: Rows, classes: tuple[str, ...], what: str) -> str:
    """A sentence about classes with too few work rows; "" where there are none."""
    counts = np.bincount(values[work].astype(np.int64), minlength=len(classes))
    rare = [f'"{classes[c]}" ({counts[c]})' for c in np.flatnonzero(counts < RARE_CLASS)]
    told = ", ".join(rare[:_TOLD])
    return f"classes with fewer than {RARE_CLASS} {what} are trained on, never judged: {told}" if rare else ""


def usual_metric(said: str | None, kind: TaskKind) -> Metric:
    """The metric that was asked for, else accuracy or RMSE. Raises UserError for one that does not fit."""
    if said is not None:
        return metric_named(said, kind.is_classification)
    return ACCURACY if kind.is_classification else RMSE


def examples_profile(task: Task[Any], duplicates: int, shared: int, why: str) -> DataProfile:
    """What checks of any data read: classes and copies, but no columns."""
    target = task.target[task.parts.work].reshape(-1)
    counts = np.bincount(target.astype(np.int64), minlength=len(task.classes)) if task.kind.is_classification else ()
    return DataProfile(
        rows=len(task.parts.work), columns=(), target=_target_profile(task, target, why),
        class_counts=tuple(int(each) for each in counts), duplicate_rows=duplicates, shared_rows=shared,
        dropped_targets=0,
    )  # fmt: skip


def _target_profile(task: Task[Any], target: Reals, why: str) -> ColumnProfile:
    distinct, counts = np.unique(target, return_counts=True)
    mean = spread = low = high = median = tail = _NAN
    if not task.kind.is_classification:
        mean, spread, low, high = (float(each) for each in (target.mean(), target.std(), target.min(), target.max()))
        quarter, median, three, far = (float(each) for each in np.quantile(target, (0.25, 0.5, 0.75, 0.999)))
        tail = (far - median) / (three - quarter) if three > quarter else 0.0
    return ColumnProfile(
        name=task.target_name, kind="category" if task.kind.is_classification else "number", why=why, missing=0.0,
        distinct=len(distinct), top_share=float(counts.max() / len(target)), mean=mean, spread=spread, low=low, high=high,
        median=median, tail=tail, single_score=_NAN,
    )  # fmt: skip
