"""Evidence that only the end of a run knows: the final score beside what it should beat, the recall of each class."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from liebig.core.arrays import Predictions, Reals, Rows
from liebig.core.evidence import ClassRecall, FinalScore
from liebig.core.metric import ROC_AUC, example_log_loss, predicted_classes
from liebig.core.task import Task, TaskKind
from liebig.train.evaluation import Judged


def chance_predictions(task: Task[Any], training: Rows, rows: int) -> Predictions:
    """What an answer that ignores its input says: the shares of the classes, the mean of the target."""
    target = task.target[training]
    if task.kind is TaskKind.REGRESSION:
        return np.broadcast_to(target.mean(axis=0), (rows, *target.shape[1:])).astype(np.float32)
    shares = np.bincount(target.astype(np.int64), minlength=len(task.classes)) / len(target)
    if task.kind is TaskKind.BINARY:
        return np.full(rows, shares[1], dtype=np.float32)
    return np.tile(shares.astype(np.float32), (rows, 1))


def example_losses(task: Task[Any], predictions: Predictions, rows: Rows, scale: float) -> Reals:
    """Log-loss of each row, or squared error in units of the target's variance (`scale` is its standard deviation)."""
    target = task.target[rows]
    if task.kind.is_classification:
        return example_log_loss(target, predictions)
    squares = np.asarray(((target - predictions) / scale) ** 2, dtype=np.float64)
    return squares if squares.ndim == 1 else np.asarray(squares.mean(axis=1), dtype=np.float64)


def final_score(
    task: Task[Any], predictions: Predictions, select: Rows, training: Rows, train: Judged, unit: float
) -> FinalScore:
    """`predictions` of the select rows, judged. `unit` turns `train.loss` into that of `loss`."""
    weights = None if task.weights is None else task.weights[select]
    target, metric = task.target[select], task.metric
    scale = max(float(task.target[training].std()), 1e-12)
    losses = example_losses(task, predictions, select, scale)
    chance = chance_predictions(task, training, len(select))
    chance_losses = example_losses(task, chance, select, scale)
    n = len(select)
    influence = metric.influence(target, predictions, weights)
    return FinalScore(
        metric=metric.name, higher_is_better=metric.higher_is_better, score=metric.score(target, predictions, weights),
        chance=metric.score(target, chance, weights), error=float(np.sqrt((influence**2).sum()) / n),
        train_score=train.metric, loss=float(np.average(losses, weights=weights)),
        chance_loss=float(np.average(chance_losses, weights=weights)),
        loss_error=float(losses.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan,
        train_loss=train.loss * unit, select_rows=n, train_rows=len(training),
    )  # fmt: skip


def class_recall(task: Task[Any], predictions: Predictions, select: Rows, training: Rows) -> ClassRecall | None:
    """Recall and ROC AUC of each class on the select part; None for numbers."""
    if not task.kind.is_classification:
        return None
    codes, guessed = task.target[select].astype(np.int64), predicted_classes(predictions)
    count = len(task.classes)
    priors = np.bincount(task.target[training].astype(np.int64), minlength=count) / len(training)
    recall, rows, areas = [], [], []
    for c in range(count):
        own = codes == c
        given = predictions[:, c] if predictions.ndim == 2 else (predictions if c == 1 else 1.0 - predictions)
        recall.append(float((guessed[own] == c).mean()) if own.any() else math.nan)
        rows.append(int(own.sum()))
        areas.append(ROC_AUC.score(own.astype(np.float64), np.asarray(given, dtype=np.float32)))
    return ClassRecall(task.classes, tuple(priors.tolist()), tuple(recall), tuple(rows), tuple(areas))
