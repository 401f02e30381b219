"""What the table shows before anything is trained: a profile of each column and of the whole, over work rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from liebig.core.arrays import Reals, Rows
from liebig.core.evidence import ColumnProfile, DataProfile
from liebig.core.metric import ROC_AUC
from liebig.core.task import Task, TaskKind
from liebig.data.table.columns import Column, Kind, numbers, to_reals, words
from liebig.data.table.content import LARGEST_NUMBER, TableData
from liebig.data.table.single_score import ScoredTarget, bins_of_levels, bins_of_numbers, single_score

_SCORED_ROWS: Final = 8_000  # a column's score is taken on at most so many work rows
_SHIFT_ROWS: Final = 3_000  # of work and of test rows each
_NAN: Final = float("nan")


def profile_of(task: Task[TableData], duplicates: int, shared: int, dropped: int, why: str) -> DataProfile:
    """The profile of a task's work rows. `duplicates` are rows that stand again further up, `shared` those that stand again
    in the user's test file, `dropped` those without a target; `why` says why the target was taken for its kind."""
    work = task.parts.work
    rows = work
    if len(work) > _SCORED_ROWS:
        rows = np.sort(np.random.default_rng([task.seed, 0x9F0F]).choice(work, _SCORED_ROWS, replace=False))
    scored = ScoredTarget(task.target[rows], task.kind, len(task.classes), task.seed)
    counts = np.bincount(task.target[work].astype(np.int64)) if task.kind.is_classification else np.zeros(0, np.int64)
    return DataProfile(
        rows=len(work), columns=tuple(_columns(task, rows, scored)), target=_target(task, why),
        class_counts=tuple(int(count) for count in counts), duplicate_rows=duplicates, shared_rows=shared,
        dropped_targets=dropped, shift_auc=_shift(task) if task.parts.test_given else _NAN,
    )  # fmt: skip


def _columns(task: Task[TableData], rows: Rows, scored: ScoredTarget) -> list[ColumnProfile]:
    data, profiles = task.data, []
    numeric = [each.column for each in data.numeric_inputs]
    categories = [column.name for column in data.categories]
    seen: dict[tuple[Kind, bytes], str] = {}
    values: NDArray[Any] | None
    for column in data.columns:
        if column.is_input and column.kind in {Kind.NUMBER, Kind.DATE}:
            own = [i for i, name in enumerate(numeric) if name == column.name]
            score = max(single_score(bins_of_numbers(data.raw.numbers[rows, i]), scored) for i in own)
            profile, values = _of_numbers(task, column, own[0], score)
        elif column.is_input and column.kind is Kind.CATEGORY:
            codes = data.raw.codes[:, categories.index(column.name)]
            score = single_score(bins_of_levels(codes[rows]), scored)
            profile, values = _of_codes(task, column, codes, score)
        else:
            profile, values = _unscored(task, column), None
        if values is not None:
            first = seen.setdefault((column.kind, values.tobytes()), column.name)
            profile = profile if first == column.name else replace(profile, duplicate_of=first)
        profiles.append(profile)
    return profiles


def _of_numbers(
    task: Task[TableData], column: Column, i: int, score: float
) -> tuple[ColumnProfile, NDArray[np.float64]]:
    values = np.ascontiguousarray(task.data.raw.numbers[task.parts.work, i])
    return _numeric_profile(column, values, score), values


def _numeric_profile(column: Column, values: Reals, score: float) -> ColumnProfile:
    known = np.sort(values[~np.isnan(values)])
    missing = 1.0 - len(known) / max(len(values), 1)
    is_number = column.kind is Kind.NUMBER
    if not len(known):
        return _profile(column, missing, 0, 0.0, score)
    starts = np.flatnonzero(np.concatenate([[True], known[1:] != known[:-1]]))
    runs = np.diff(np.concatenate([starts, [len(known)]]))
    top = float(runs.max() / len(values))
    if not is_number:
        return _profile(column, missing, len(starts), top, score)
    first, median, third, far = (float(known[int(q * (len(known) - 1))]) for q in (0.25, 0.5, 0.75, 0.999))
    return ColumnProfile(
        name=column.name, kind=str(column.kind), why=column.why, missing=missing, distinct=len(starts), top_share=top,
        mean=float(known.mean()), spread=float(known.std()), low=float(known[0]), high=float(known[-1]), median=median,
        tail=(far - median) / (third - first) if third > first else 0.0, single_score=score,
        ignored=not column.is_input,
    )  # fmt: skip


def _of_codes(
    task: Task[TableData], column: Column, codes: NDArray[np.int32], score: float
) -> tuple[ColumnProfile, NDArray[np.int32]]:
    own = np.ascontiguousarray(codes[task.parts.work])
    counts = np.bincount(own[own >= 0], minlength=1)
    missing = float((own < 0).mean())
    return _profile(column, missing, int((counts > 0).sum()), float(counts.max() / max(len(own), 1)), score), own


def _unscored(task: Task[TableData], column: Column) -> ColumnProfile:
    """A column that is no input, or free text: told, not scored."""
    series = task.data.frame[column.name][task.parts.work]
    if column.kind is Kind.NUMBER:
        values = to_reals(numbers(series, column.written))
        infinite = int(np.isinf(values).sum())
        values = np.clip(np.where(np.isinf(values), np.nan, values), -LARGEST_NUMBER, LARGEST_NUMBER)
        profile = _numeric_profile(column, values, _NAN)
        return replace(profile, infinite=infinite)
    text = words(series)
    top = text.drop_nulls().value_counts(name="rows")["rows"].max() if text.null_count() < len(text) else 0
    share = float(top) / max(len(text), 1) if isinstance(top, int) else 0.0
    return _profile(column, text.null_count() / max(len(text), 1), text.drop_nulls().n_unique(), share, _NAN)


def _profile(column: Column, missing: float, distinct: int, top: float, score: float) -> ColumnProfile:
    return ColumnProfile(
        name=column.name, kind=str(column.kind), why=column.why, missing=missing, distinct=distinct, top_share=top,
        mean=_NAN, spread=_NAN, low=_NAN, high=_NAN, median=_NAN, tail=_NAN, single_score=score,
        ignored=not column.is_input,
    )  # fmt: skip


def _target(task: Task[TableData], why: str) -> ColumnProfile:
    target = task.target[task.parts.work]
    kind = Kind.NUMBER if task.kind is TaskKind.REGRESSION else Kind.CATEGORY
    column = Column(task.target_name, kind, why, False)
    if kind is Kind.NUMBER:
        profile = _numeric_profile(Column(task.target_name, kind, why, True), target, _NAN)
    else:
        counts = np.bincount(target.astype(np.int64))
        profile = _profile(column, 0.0, int((counts > 0).sum()), float(counts.max() / len(target)), _NAN)
    return replace(profile, ignored=False)


def _shift(task: Task[TableData]) -> float:
    """ROC AUC, out of sample, of boosted trees that tell work rows from the user's test rows; 0.5 where they cannot."""
    generator = np.random.default_rng([task.seed, 0x5417])
    sides: Sequence[Rows] = [generator.permutation(side)[:_SHIFT_ROWS] for side in (task.parts.work, task.parts.sealed)]
    rows = np.concatenate(sides)
    is_test = np.concatenate([np.zeros(len(sides[0])), np.ones(len(sides[1]))])
    table = task.data.classical(rows)
    values = np.concatenate([table.numbers, table.codes.astype(np.float32)], axis=1)
    answers = np.full(len(rows), 0.5, np.float32)
    fold = generator.permutation(len(rows)) % 2
    for own in (fold == 0, fold == 1):
        if len(np.unique(is_test[~own])) < 2 or not own.any():
            return _NAN
        trees = HistGradientBoostingClassifier(max_iter=25, max_leaf_nodes=15, early_stopping=False, random_state=0)
        answers[own] = trees.fit(values[~own], is_test[~own]).predict_proba(values[own])[:, 1]
    return ROC_AUC.score(is_test, answers)
