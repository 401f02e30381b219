"""Metrics: the score of predictions, and each example's influence on it.

Scores are the usual ones (RMSE is low when good); `Metric.oriented` turns them so that larger is better, and
`influence` is always of the oriented score. See TRIALS in the documentation for why influences are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from scipy.stats import rankdata

from liebig.core.arrays import Predictions, Reals, Rows
from liebig.core.errors import UserError, did_you_mean

_FLOOR: Final = 1e-7  # float32 probabilities below this carry no information


class Answers(StrEnum):
    """The answers a metric can judge."""

    CLASSES = "classes"
    NUMBERS = "numbers"


@dataclass(frozen=True, slots=True)
class Metric:
    """How success is measured.

    `influence_of(target, predictions, weights)` gives each example's influence on the oriented score: mean 0,
    and the variance of the score is about ``sum(g**2) / n**2``.
    """

    name: str
    title: str
    higher_is_better: bool
    answers: Answers
    score_of: Callable[[Reals, Predictions, Reals | None], float]
    influence_of: Callable[[Reals, Predictions, Reals | None], Reals] | None = None
    unit: str = ""
    #: Judges the class that is named for a row, whatever its probability: then it matters from which one on it is named.
    names_classes: bool = False

    def score(self, target: Reals, predictions: Predictions, weights: Reals | None = None) -> float:
        """The metric itself. `target` [n], `predictions` as in `core.arrays.Predictions`, `weights` [n] or None.

        NaN where it is not defined (ROC AUC of one class).
        """
        return self.score_of(target, predictions, weights)

    def oriented(self, score: float) -> float:
        """`score`, turned so that larger is better."""
        return score if self.higher_is_better else -score

    def influence(self, target: Reals, predictions: Predictions, weights: Reals | None = None) -> Reals:
        """Influence of each example on the oriented score, float64 [n], mean 0."""
        if self.influence_of is not None:
            return self.influence_of(target, predictions, weights)
        return _jackknife(self, target, predictions, weights)


def _mean_influence(values: Reals, weights: Reals | None) -> Reals:
    """Influence on a weighted mean of `values` [n]."""
    if weights is None:
        return np.asarray(values - values.mean(), dtype=np.float64)
    centred = values - np.average(values, weights=weights)
    return np.asarray(centred * weights * (len(values) / weights.sum()), dtype=np.float64)


def _jackknife(metric: Metric, target: Reals, predictions: Predictions, weights: Reals | None) -> Reals:
    n = len(target)
    whole = metric.oriented(metric.score(target, predictions, weights))
    without = np.empty(n)
    keep = np.ones(n, dtype=bool)
    for i in range(n):
        keep[i] = False
        left_out = metric.score(target[keep], predictions[keep], None if weights is None else weights[keep])
        without[i] = metric.oriented(left_out)
        keep[i] = True
    values = np.nan_to_num((n - 1) * (whole - without))
    return np.asarray(values - values.mean(), dtype=np.float64)


def example_log_loss(target: Reals, predictions: Predictions) -> Reals:
    """Minus the log of the probability given to the true class, float64 [n]."""
    if predictions.ndim == 1:
        given = np.where(target > 0.5, predictions, 1.0 - predictions.astype(np.float64))
    else:
        given = predictions[np.arange(len(target)), target.astype(np.int64)]
    return np.asarray(-np.log(np.clip(given.astype(np.float64), _FLOOR, 1.0)), dtype=np.float64)


def predicted_classes(predictions: Predictions) -> Rows:
    """The most probable class of each row, int64 [n]."""
    codes = predictions > 0.5 if predictions.ndim == 1 else predictions.argmax(axis=1)
    return np.asarray(codes, dtype=np.int64)


def _log_loss(target: Reals, predictions: Predictions, weights: Reals | None) -> float:
    return float(np.average(example_log_loss(target, predictions), weights=weights))


def _correct(target: Reals, predictions: Predictions) -> Reals:
    return np.asarray(predicted_classes(predictions) == target.astype(np.int64), dtype=np.float64)


def _accuracy(target: Reals, predictions: Predictions, weights: Reals | None) -> float:
    return float(np.average(_correct(target, predictions), weights=weights))


def _ones(target: Reals, weights: Reals | None) -> Reals:
    return np.ones(len(target)) if weights is None else weights


def _balanced_accuracy(target: Reals, predictions: Predictions, weights: Reals | None) -> float:
    right, w, codes = _correct(target, predictions), _ones(target, weights), target.astype(np.int64)
    total, hit = np.bincount(codes, w), np.bincount(codes, w * right)
    return float((hit[total > 0] / total[total > 0]).mean())


def _balanced_accuracy_influence(target: Reals, predictions: Predictions, weights: Reals | None) -> Reals:
    right, w, codes = _correct(target, predictions), _ones(target, weights), target.astype(np.int64)
    total, hit = np.bincount(codes, w), np.bincount(codes, w * right)
    safe = np.where(total > 0, total, 1.0)
    recall, classes = hit / safe, int((total > 0).sum())
    return np.asarray(len(target) * w * (right - recall[codes]) / (safe[codes] * classes), dtype=np.float64)


def _f1(target: Reals, predictions: Predictions, weights: Reals | None) -> float:
    """F1 of the second class for two classes, the unweighted mean over classes for more."""
    truth, guess, w = target.astype(np.int64), predicted_classes(predictions), _ones(target, weights)
    classes = 2 if predictions.ndim == 1 else predictions.shape[1]
    both = np.bincount(truth[truth == guess], w[truth == guess], minlength=classes)
    seen, said = np.bincount(truth, w, minlength=classes), np.bincount(guess, w, minlength=classes)
    each = 2 * both / np.maximum(seen + said, 1e-12)
    return float(each[1] if predictions.ndim == 1 else each[(seen + said) > 0].mean())


def _f1_influence(target: Reals, predictions: Predictions, weights: Reals | None) -> Reals:
    """First-order influence of F1 = 2 TP / (T + P) in each example's weight (jackknife to first order)."""
    truth, guess, w = target.astype(np.int64), predicted_classes(predictions), _ones(target, weights)
    classes = 2 if predictions.ndim == 1 else predictions.shape[1]
    n, influence = len(target), np.zeros(len(target))
    counted = [1] if predictions.ndim == 1 else [c for c in range(classes) if ((truth == c) | (guess == c)).any()]
    for c in counted:
        seen, said = (truth == c) * w, (guess == c) * w
        both, total = seen * (guess == c), float(seen.sum() + said.sum())
        if total > 0:
            share = 2 * float(both.sum()) / total
            influence += n * (2 * both - share * (seen + said)) / total / len(counted)
    return np.asarray(influence - influence.mean(), dtype=np.float64)


def _by_row(values: Reals) -> Reals:
    """[n]: the mean over the steps of a forecast, [n, steps]."""
    return values if values.ndim == 1 else np.asarray(values.mean(axis=1), dtype=np.float64)


def _squares(target: Reals, predictions: Predictions) -> Reals:
    return _by_row(np.asarray((target - predictions) ** 2, dtype=np.float64))


def _distances(target: Reals, predictions: Predictions) -> Reals:
    return _by_row(np.asarray(np.abs(target - predictions), dtype=np.float64))


def _deviations(target: Reals, weights: Reals | None) -> Reals:
    return _by_row(np.asarray((target - np.average(target, axis=0, weights=weights)) ** 2, dtype=np.float64))


def _rmse(target: Reals, predictions: Predictions, weights: Reals | None) -> float:
    return float(np.sqrt(np.average(_squares(target, predictions), weights=weights)))


def _rmse_influence(target: Reals, predictions: Predictions, weights: Reals | None) -> Reals:
    rmse = max(_rmse(target, predictions, weights), 1e-300)
    return np.asarray(-_mean_influence(_squares(target, predictions), weights) / (2 * rmse), dtype=np.float64)


def _mae(target: Reals, predictions: Predictions, weights: Reals | None) -> float:
    return float(np.average(_distances(target, predictions), weights=weights))


def _r2(target: Reals, predictions: Predictions, weights: Reals | None) -> float:
    spread = float(np.average(_deviations(target, weights), weights=weights))
    return 1.0 - _rmse(target, predictions, weights) ** 2 / spread if spread > 0 else float("nan")


def _r2_influence(target: Reals, predictions: Predictions, weights: Reals | None) -> Reals:
    deviation = _deviations(target, weights)
    spread = max(float(np.average(deviation, weights=weights)), 1e-300)
    squared = _squares(target, predictions)
    ratio = float(np.average(squared, weights=weights)) / spread
    return _mean_influence(np.asarray((ratio * deviation - squared) / spread), weights)


def _auc_of(positive: Reals, score: Reals, weights: Reals | None) -> float:
    if weights is None:
        ranks, positives = rankdata(score), float(positive.sum())
        negatives = len(score) - positives
        if positives == 0 or negatives == 0:
            return float("nan")
        return float((ranks[positive > 0.5].sum() - positives * (positives + 1) / 2) / (positives * negatives))
    below = _weight_below(score, weights * (1 - positive))
    up, down = float((weights * positive).sum()), float((weights * (1 - positive)).sum())
    return float((weights * positive * below).sum() / (up * down)) if up > 0 and down > 0 else float("nan")


def _weight_below(score: Reals, weights: Reals) -> Reals:
    """For each example the weight of those scored below it, ties counted half. All [n]."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    total = np.concatenate([[0.0], np.cumsum(weights[order])])
    left, right = np.searchsorted(ordered, score, "left"), np.searchsorted(ordered, score, "right")
    return np.asarray((total[left] + total[right]) / 2, dtype=np.float64)


def _roc_auc(target: Reals, predictions: Predictions, weights: Reals | None) -> float:
    """Two classes: the area; more: the mean of each class against the rest (Hand & Till's simpler form)."""
    if predictions.ndim == 1:
        return _auc_of(target, predictions.astype(np.float64), weights)
    areas = [
        _auc_of((target == c).astype(np.float64), predictions[:, c].astype(np.float64), weights)
        for c in range(predictions.shape[1])
    ]
    known = [area for area in areas if not np.isnan(area)]
    return float(np.mean(known)) if known else float("nan")


def _auc_influence_of(positive: Reals, score: Reals, weights: Reals | None) -> Reals:
    w = _ones(positive, weights)
    up, down = float((w * positive).sum()), float((w * (1 - positive)).sum())
    if up == 0 or down == 0:
        return np.zeros(len(score))
    area = _auc_of(positive, score, weights)
    below = _weight_below(score, w * (1 - positive)) / down
    above = 1.0 - _weight_below(score, w * positive) / up
    n = len(score)
    return np.asarray(
        np.where(positive > 0.5, n * w / up * (below - area), n * w / down * (above - area)), dtype=np.float64
    )


def _roc_auc_influence(target: Reals, predictions: Predictions, weights: Reals | None) -> Reals:
    if predictions.ndim == 1:
        return _auc_influence_of(target, predictions.astype(np.float64), weights)
    present = [c for c in range(predictions.shape[1]) if 0 < (target == c).sum() < len(target)]
    influences = [
        _auc_influence_of((target == c).astype(np.float64), predictions[:, c].astype(np.float64), weights)
        for c in present
    ]
    return np.asarray(np.mean(influences, axis=0), dtype=np.float64) if influences else np.zeros(len(target))


ACCURACY: Final = Metric(
    "accuracy",
    "accuracy",
    True,
    Answers.CLASSES,
    _accuracy,
    lambda t, p, w: _mean_influence(_correct(t, p), w),
    names_classes=True,
)
LOG_LOSS: Final = Metric(
    "log_loss",
    "log-loss",
    False,
    Answers.CLASSES,
    _log_loss,
    lambda t, p, w: -_mean_influence(example_log_loss(t, p), w),
)
ROC_AUC: Final = Metric("roc_auc", "ROC AUC", True, Answers.CLASSES, _roc_auc, _roc_auc_influence)
BALANCED_ACCURACY: Final = Metric(
    "balanced_accuracy",
    "balanced accuracy",
    True,
    Answers.CLASSES,
    _balanced_accuracy,
    _balanced_accuracy_influence,
    names_classes=True,
)
F1: Final = Metric("f1", "F1", True, Answers.CLASSES, _f1, _f1_influence, names_classes=True)
RMSE: Final = Metric("rmse", "RMSE", False, Answers.NUMBERS, _rmse, _rmse_influence, unit="target")
MAE: Final = Metric(
    "mae", "MAE", False, Answers.NUMBERS, _mae, lambda t, p, w: -_mean_influence(_distances(t, p), w), unit="target"
)
R2: Final = Metric("r2", "R²", True, Answers.NUMBERS, _r2, _r2_influence)

ALL: Final = (ROC_AUC, LOG_LOSS, ACCURACY, BALANCED_ACCURACY, F1, RMSE, MAE, R2)


def metric_named(name: str, classification: bool) -> Metric:
    """The metric that a user typed. Raises UserError when it is unknown or does not judge this kind of answer."""
    key = name.casefold().replace("-", "_").replace(" ", "_")
    found = next((each for each in ALL if key in {each.name, each.title.casefold()}), None)
    if found is None:
        names = [each.name for each in ALL]
        raise UserError(f'there is no metric "{name}"; known are {", ".join(names)}.{did_you_mean(key, names)}')
    if (found.answers is Answers.NUMBERS) == classification:
        wanted = "classes" if classification else "numbers"
        raise UserError(f"the metric {found.name} cannot judge a target of {wanted}")
    return found
