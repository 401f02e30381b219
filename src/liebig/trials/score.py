"""A run, judged: the score on the select part, and each example's influence on it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from liebig.core.arrays import Predictions, Reals, Rows
from liebig.core.metric import LOG_LOSS, Metric
from liebig.core.run import Run, Score
from liebig.core.task import Task

#: Above so many select examples, the same random ones of each fold are judged.
EXAMPLES: Final = 50_000


def score(task: Task[Any], run: Run) -> Score:
    """Judge `run` by the task's metric.

    Influences are those of rows, or of groups where rows belong to groups: then scaled so that ``sum(g**2) / n**2``, with n
    the number of groups, is the variance of the score over groups. A run without usable predictions fails.
    """
    if run.predictions is None or not np.isfinite(run.predictions).all():
        return failed(run.seconds)
    return score_of(task, run.rows, run.predictions, run.seconds)


def score_of(task: Task[Any], rows: Rows, predictions: Predictions, seconds: float = 0.0) -> Score:
    """Judge `predictions` for `rows` of the task."""
    chosen = examples(rows)
    rows, predictions = rows[chosen], predictions[chosen]
    target = task.target[rows]
    weights = None if task.weights is None else task.weights[rows]
    value, influence = _judged(task.metric, target, predictions, weights)
    if not np.isfinite(value):
        return failed(seconds)
    loss, loss_influence = (
        _judged(LOG_LOSS, target, predictions, weights) if task.kind.is_classification else (None, None)
    )
    if task.groups is None:
        return Score(value, rows, influence, loss, loss_influence, seconds)
    names, of_row = np.unique(task.groups[rows], return_inverse=True)
    influence = _summed(influence, of_row, len(names))
    if loss_influence is not None:
        loss_influence = _summed(loss_influence, of_row, len(names))
    return Score(value, names.astype(np.int64), influence, loss, loss_influence, seconds)


def failed(seconds: float = 0.0) -> Score:
    """The score of a run that has none."""
    return Score(float("nan"), np.empty(0, np.int64), np.empty(0), None, None, seconds)


def examples(rows: Rows) -> Rows:
    """Positions of the examples of `rows` that are judged: all, or 50,000 that depend on nothing but the row numbers."""
    if len(rows) <= EXAMPLES:
        return np.arange(len(rows))
    mixed = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # wraps: a multiplicative hash
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return np.sort(np.argsort(mixed, kind="stable")[:EXAMPLES])


def _judged(metric: Metric, target: Reals, predictions: Predictions, weights: Reals | None) -> tuple[float, Reals]:
    value = metric.oriented(metric.score(target, predictions, weights))
    return value, metric.influence(target, predictions, weights)


def _summed(influence: Reals, of_row: Rows, groups: int) -> Reals:
    return np.asarray(np.bincount(of_row, influence, minlength=groups) * (groups / len(influence)), dtype=np.float64)
