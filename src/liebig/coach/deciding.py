"""How answers are to be read, chosen on examples that nobody has learnt from.

A metric of named classes (F1, balanced accuracy) is best at another threshold than a half where classes are uneven: F1 at half its best
value (Lipton, Elkan & Naryanaswamy 2014, arXiv:1402.1892), balanced accuracy at the class's share. Log-loss is best where
probabilities are neither too sure nor too timid (Guo et al. 2017, arXiv:1706.04599). Both are one number for two classes; for several classes it is the
power of their shares by which rare ones are favoured (Menon et al. 2021, arXiv:2007.07314): a shift for each class alone would fit luck.

What is chosen flatters itself where it was chosen: it is judged on each block's select part with what the other blocks choose, without the
examples that they share, and kept where that is likely better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
from scipy.optimize import minimize_scalar

from liebig.coach.weighing import Part, Weights, thinned
from liebig.core.arrays import Predictions, Reals
from liebig.core.decision import Decision, log_probabilities
from liebig.core.metric import ALL as METRICS
from liebig.core.metric import LOG_LOSS, Metric
from liebig.train.combination import mixed

#: Temperatures that are considered: from a quarter to four times as mild.
_MOST_LOG: Final = float(np.log(4.0))
#: Thresholds that are tried lie at so many quantiles of each class's answers, and a threshold is worth what it and its neighbours
#: score: the best of many is partly luck.
_QUANTILES: Final = 48
_NEIGHBOURS: Final = 3
#: Powers of the classes' shares that are tried.
_POWERS: Final = tuple(float(each) for each in np.linspace(-0.5, 1.5, 41))
_EDGE: Final = 1e-6


def is_read(name: str) -> bool:
    """Whether how answers are read changes what the metric of this name says of them."""
    return name == LOG_LOSS.name or any(each.name == name and each.names_classes for each in METRICS)


def chosen_decision(parts: Sequence[Part], weights: Weights, metric: Metric) -> Decision:
    """How the mixture with these weights is read best on these parts, each counting alike."""
    return _chosen([_mixture(thinned(part), weights) for part in parts], metric)


def cross_fitted_decisions(parts: Sequence[Part], weights: Sequence[Weights], metric: Metric) -> list[Decision]:
    """For each part how the other parts, without its examples, would read its mixture: the one with its own `weights`."""
    thin = [thinned(part) for part in parts]
    found = []
    for held, whole in enumerate(parts):
        kept = [(part, ~np.isin(part.names, whole.names)) for place, part in enumerate(thin) if place != held]
        others = [part if own.all() else part.taking(own) for part, own in kept if own.any()]
        found.append(_chosen([_mixture(part, weights[held]) for part in others], metric) if others else Decision())
    return found


def _mixture(part: Part, weights: Weights) -> Part:
    return Part(part.names, part.target, part.weights, (mixed(part.answers, weights),))


def _chosen(parts: Sequence[Part], metric: Metric) -> Decision:
    return Decision(shifts=_named(parts, metric)).at(_temperature(parts))


def _named(parts: Sequence[Part], metric: Metric) -> tuple[float, ...]:
    if not metric.names_classes:
        return ()
    return (0.0, _shift(parts, metric)) if parts[0].answers[0].ndim == 1 else _shifts(parts, metric)


def _temperature(parts: Sequence[Part]) -> float:
    """What makes the log-loss least, where that is not as the answers come."""
    logs = np.concatenate([log_probabilities(part.answers[0]) for part in parts])
    truth = np.concatenate([part.target for part in parts]).astype(np.int64)
    weights = np.concatenate([_shares(part) for part in parts])
    given = logs[np.arange(len(logs)), truth]

    def loss(log: float) -> float:
        cooled = logs * np.exp(-log)
        return float(weights @ (np.log(np.exp(cooled).sum(axis=1)) - given * np.exp(-log)))

    found = minimize_scalar(loss, bounds=(-_MOST_LOG, _MOST_LOG), method="bounded", options={"xatol": 0.01})
    return float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0


def _shares(part: Part) -> Reals:
    """What each example counts: each part alike."""
    weights = np.ones(len(part.target)) if part.weights is None else part.weights
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _shift(parts: Sequence[Part], metric: Metric) -> float:
    """For two classes: what is added to the log odds of the second before it is named."""
    odds = [_odds(part.answers[0]) for part in parts]
    together, truth = np.concatenate(odds), np.concatenate([part.target for part in parts]) > 0.5
    if truth.all() or not truth.any():
        return 0.0
    share = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    cuts = np.unique(np.concatenate([np.quantile(together[truth], share), np.quantile(together[~truth], share), [0.0]]))

    def worth(cut: float) -> float:
        named = ((each > cut).astype(np.float32) for each in odds)
        return _mean(metric, parts, named)

    return -float(_best(cuts, worth))


def _shifts(parts: Sequence[Part], metric: Metric) -> tuple[float, ...]:
    """For several classes: minus a power of their shares, as logs."""
    classes = parts[0].answers[0].shape[1]
    counts = sum(np.bincount(part.target.astype(np.int64), part.weights, minlength=classes) for part in parts)
    logs = np.log(np.maximum(np.asarray(counts, dtype=np.float64), 0.5) / np.sum(counts))
    logs -= logs.mean()

    def worth(power: float) -> float:
        decision = _favouring(logs, power)
        return _mean(metric, parts, (decision.naming(part.answers[0]) for part in parts))

    return _favouring(logs, float(_best(np.array(_POWERS), worth))).shifts


def _favouring(logs: Reals, power: float) -> Decision:
    return Decision(shifts=tuple(float(-power * each) for each in logs))


def _odds(predictions: Predictions) -> Reals:
    inside = np.clip(predictions.astype(np.float64), _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside), dtype=np.float64)


def _mean(metric: Metric, parts: Sequence[Part], named: Iterable[Predictions]) -> float:
    scores = [
        metric.oriented(metric.score(part.target, answer, part.weights))
        for part, answer in zip(parts, named, strict=True)
    ]
    return sum(scores) / len(scores)


def _best(places: Reals, worth: Callable[[float], float]) -> float:
    """The place that is worth most together with its neighbours; of equals the middle one."""
    values = np.array([worth(float(each)) for each in places])
    room = min(_NEIGHBOURS, (len(values) - 1) // 2)
    values[~np.isfinite(values)] = values[np.isfinite(values)].min(initial=0.0)
    padded = np.pad(values, room, mode="edge")
    around = np.convolve(padded, np.ones(2 * room + 1) / (2 * room + 1), mode="valid")
    top = np.flatnonzero(around >= around.max() - 1e-12)
    return float(places[top[len(top) // 2]])
