"""Weights of models that answer together, chosen on examples that they have not learnt from.

Greedy selection with replacement (Caruana, Niculescu-Mizil, Crew & Ksikes 2004, "Ensemble Selection from Libraries of Models"):
the model whose addition makes the mean of the chosen answers best is added again and again; how often a model was chosen is its
weight. Weights that are chosen on examples flatter themselves there, so what a combination is worth is judged by
cross-fitting: on each block's select part with the weights that the other blocks choose, without the examples they share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liebig.core.arrays import Predictions, Reals, Rows
from liebig.core.metric import LOG_LOSS, Answers, Metric

#: Additions; so many of the best single models are considered; so many get a weight, and none below this one.
ADDITIONS: Final = 16
#: So many additions in a row that better nothing end it.
PATIENCE: Final = 5
CONSIDERED: Final = 10
MOST_MEMBERS: Final = 6
LEAST_WEIGHT: Final = 0.05
#: Examples of each part that weights are chosen on: at most, fewer where each has many probabilities, at least.
_EXAMPLES: Final = 5_000
_NUMBERS: Final = 60_000
_FEWEST: Final = 1_000
#: Of two mixtures with the same score the one with the better log-loss is taken.
_TIE: Final = 1e-7

Weights = tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The select part of one block, and what each candidate answers for it. `names` int64 [n] tell examples that belong
    together (row numbers, or groups); `answers` [candidates] as `core.arrays.Predictions`."""

    names: Rows
    target: Reals
    weights: Reals | None
    answers: tuple[Predictions, ...]

    def taking(self, kept: NDArray[np.bool_]) -> Part:
        """These examples only."""
        weights = None if self.weights is None else self.weights[kept]
        return Part(self.names[kept], self.target[kept], weights, tuple(each[kept] for each in self.answers))


def chosen_weights(parts: Sequence[Part], metric: Metric) -> Weights:
    """One weight for each candidate, summing to 1, most of them 0: what is best on these parts, each counting alike."""
    return _choose(tuple(thinned(part) for part in parts), metric, {})


def cross_fitted_weights(parts: Sequence[Part], metric: Metric) -> list[Weights] | None:
    """For each part the weights that the other parts choose without its examples; None where they have no others."""
    thin = [thinned(part) for part in parts]
    found: list[Weights] = []
    known: dict[tuple[int, tuple[int, ...]], float] = {}
    for held, whole in enumerate(parts):
        others, shared = [], False
        for place, part in enumerate(thin):
            kept = ~np.isin(part.names, whole.names)
            shared = shared or (place != held and not kept.all())
            others.append(part if place == held or kept.all() else part.taking(kept))
        if any(len(part.target) == 0 for place, part in enumerate(others) if place != held):
            return None
        # Where parts are disjoint, what one fold has scored serves the others.
        found.append(_choose(tuple(others), metric, {} if shared else known, held))
    return found


def _choose(
    parts: tuple[Part, ...], metric: Metric, known: dict[tuple[int, tuple[int, ...]], float], left_out: int = -1
) -> Weights:
    candidates = len(parts[0].answers)
    others = [(place, part) for place, part in enumerate(parts) if place != left_out]
    answers = {place: np.stack(part.answers).reshape(candidates, -1) for place, part in others}

    def worth(counts: tuple[int, ...]) -> float:
        total, shares = 0.0, (np.array(counts) / sum(counts)).astype(np.float32)
        for place, part in others:
            if (place, counts) not in known:
                answer: Predictions = np.asarray(shares @ answers[place]).reshape(part.answers[0].shape)
                known[place, counts] = _score(metric, part, answer)
            total += known[place, counts]
        return total / len(others)

    return greedy(worth, candidates)


def greedy(worth: Callable[[tuple[int, ...]], float], candidates: int) -> Weights:
    """Add the candidate that makes `worth` (of how often each was added) largest, again and again; the best on the way is
    taken, its slightest members left out. Of equals the first."""
    alone = [worth(_unit(each, candidates)) for each in range(candidates)]
    order = sorted(range(candidates), key=lambda each: (-_known(alone[each]), each))[:CONSIDERED]
    counts = _unit(order[0], candidates)
    best, reached, last = counts, _known(alone[order[0]]), 0
    for addition in range(1, ADDITIONS):
        longer = [tuple(count + (each == place) for place, count in enumerate(counts)) for each in order]
        values = [_known(worth(each)) for each in longer]
        top = int(np.argmax(values))
        counts = longer[top]
        if values[top] > reached:
            best, reached, last = counts, values[top], addition
        elif addition - last == PATIENCE:
            break
    return _without_slight(best)


def _known(value: float) -> float:
    """A score that is not defined is no reason to take anything."""
    return value if value == value else -np.inf


def _unit(place: int, candidates: int) -> tuple[int, ...]:
    return tuple(int(each == place) for each in range(candidates))


def _without_slight(counts: Sequence[int]) -> Weights:
    total = sum(counts)
    most = sorted(range(len(counts)), key=lambda place: (-counts[place], place))[:MOST_MEMBERS]
    kept = [count if count / total >= LEAST_WEIGHT and place in most else 0 for place, count in enumerate(counts)]
    return tuple(each / sum(kept) for each in kept)


def _score(metric: Metric, part: Part, answer: Predictions) -> float:
    value = metric.oriented(metric.score(part.target, answer, part.weights))
    if metric.answers is Answers.CLASSES and metric.name != LOG_LOSS.name:
        value -= _TIE * LOG_LOSS.score(part.target, answer, part.weights)
    return value


def thinned(part: Part) -> Part:
    """At most so many examples, drawn alike whatever they hold."""
    n, outputs = len(part.target), part.answers[0].size // max(len(part.target), 1)
    most = min(_EXAMPLES, max(_FEWEST, _NUMBERS // max(outputs, 1)))
    if n <= most:
        return part
    kept = np.zeros(n, dtype=bool)
    kept[np.random.default_rng(n).choice(n, most, replace=False)] = True
    return part.taking(kept)
