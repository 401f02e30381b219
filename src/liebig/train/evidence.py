"""Evidence that only the end of a run knows: the final score beside what it should beat, the recall of each class."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from liebig.core.arrays import Predictions, Reals, Rows
from liebig.core.evidence import ClassRecall, FinalScore
from liebig.core.metric import ROC_AUC, example_log_loss, predicted_classes
from liebig.core.places import KNOWN, LOG_LOSS_OVER_PLACES, LOSS, Placed, Places
from liebig.core.task import Task, TaskKind
from liebig.data.module.users import Users
from liebig.techniques.objectives.places import PlacesStage
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


def final_score_over_places(
    task: Task[Users], predictions: Predictions, select: Rows, training: Rows, train: Judged
) -> FinalScore:
    """The same where rows have several targets: what is counted are places. Beside it stands an answer that says the commonest
    class (the shares of classes), or each place's mean, whatever the input."""
    users, metric = task.data, task.metric
    places = users.form.places
    assert users.placed is not None
    assert places is not None
    stage = PlacesStage(places)
    mine, others = users.placed[training], users.placed[select]
    ignorant, unit = _ignorant(places, mine)
    chance = stage.answered(ignorant.expand(1, len(others), places.count, -1), others[None])[0].numpy()
    losses = [_mean_loss(each) * unit for each in (predictions, chance)]
    influence = metric.influence(task.target[select], predictions)
    n = len(select)
    error = LOG_LOSS_OVER_PLACES.influence(task.target[select], predictions) * unit
    return FinalScore(
        metric=metric.name, higher_is_better=metric.higher_is_better, score=metric.score(task.target[select], predictions),
        chance=metric.score(task.target[select], chance), error=float(np.sqrt((influence**2).sum()) / n),
        train_score=train.metric, loss=losses[0], chance_loss=losses[1],
        loss_error=float(np.sqrt((error**2).sum()) / n) if n > 1 else math.nan, train_loss=train.loss * unit,
        select_rows=n, train_rows=len(training),
    )  # fmt: skip


def _ignorant(places: Places, mine: Tensor) -> tuple[Tensor, float]:
    """The outputs [1, 1, 1 or P, C] of an answer that ignores its input, from the training rows' targets [n, P]; and what turns
    its loss into that of evidence (numbers: units of their variance)."""
    if places.kind is Placed.NUMBERS:
        variance = float(mine.var(0, correction=0).mean())
        return mine.mean(0)[None, None, :, None], 1.0 / max(variance, 1e-30)
    known = mine if places.ignored is None else mine[mine != places.ignored]
    if places.kind is Placed.BITS:
        share = known.double().mean().clamp(1e-6, 1 - 1e-6)
        return share.logit().float()[None, None, None, None], 1.0
    counts = torch.bincount(known.long().reshape(-1), minlength=len(places.shares)).float()
    return (counts / counts.sum()).clamp(min=1e-6).log()[None, None, None], 1.0


def _mean_loss(kept: Predictions) -> float:
    return float(kept[:, LOSS].sum(dtype=np.float64) / max(float(kept[:, KNOWN].sum(dtype=np.float64)), 1.0))


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
