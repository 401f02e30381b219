"""Targets with several places in each row (the words of a sentence, the pixels of a picture, several numbers): what is kept of
an answer to a row, and the metrics over places.

Answers to all places would be too many to keep. What counts of them, once the true target is known, are four numbers a row:
how many places were known and answered rightly, and the losses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from liebig.core.arrays import Predictions, Reals
from liebig.core.errors import UserError
from liebig.core.metric import ALL, Answers, Metric

#: Columns of what is kept of an answer to a row, float32 [n, 4]: known places, right ones, the sum of their losses (log-loss, or
#: squared error), and the sum of their absolute errors.
KNOWN, RIGHT, LOSS, ERROR = range(4)


class Placed(StrEnum):
    """What stands in a place: one of several classes, yes or no, a number."""

    CLASSES = "classes"
    BITS = "bits"
    NUMBERS = "numbers"


@dataclass(frozen=True, slots=True)
class Places:
    """`shape` is that of a row's target; `ignored` the code of a place that has no label (None: all have one). `shares` of the
    classes, of yes and no, over all known places; empty for numbers."""

    kind: Placed
    shape: tuple[int, ...]
    ignored: int | None = None
    shares: tuple[float, ...] = ()

    @property
    def count(self) -> int:
        """Places of a row."""
        return int(np.prod(self.shape))


def _mean_of(column: int) -> Callable[[Reals, Predictions, Reals | None], float]:
    def mean(target: Reals, kept: Predictions, weights: Reals | None) -> float:
        sums = np.average(kept.astype(np.float64), axis=0, weights=weights)
        return float(sums[column] / sums[KNOWN]) if sums[KNOWN] > 0 else float("nan")

    return mean


def _influence_of(column: int, sign: float) -> Callable[[Reals, Predictions, Reals | None], Reals]:
    """Of a mean over places, the ratio of two sums over rows (delta method)."""

    def influence(target: Reals, kept: Predictions, weights: Reals | None) -> Reals:
        values = kept.astype(np.float64)
        mean = _mean_of(column)(target, kept, weights)
        w = np.ones(len(values)) if weights is None else weights
        centred = w * (values[:, column] - mean * values[:, KNOWN])
        return np.asarray(sign * centred * len(values) / max(float((w * values[:, KNOWN]).sum()), 1e-300))

    return influence


def _root(target: Reals, kept: Predictions, weights: Reals | None) -> float:
    return float(np.sqrt(_mean_of(LOSS)(target, kept, weights)))


def _root_influence(target: Reals, kept: Predictions, weights: Reals | None) -> Reals:
    root = max(_root(target, kept, weights), 1e-300)
    return np.asarray(_influence_of(LOSS, -1.0)(target, kept, weights) / (2 * root))


def _like(name: str, score: Callable[..., float], influence: Callable[..., Reals]) -> Metric:
    """The metric of rows of this name, over places."""
    (known,) = [each for each in ALL if each.name == name]
    return Metric(name, known.title, known.higher_is_better, known.answers, score, influence)


ACCURACY_OVER_PLACES: Final = _like("accuracy", _mean_of(RIGHT), _influence_of(RIGHT, 1.0))
LOG_LOSS_OVER_PLACES: Final = _like("log_loss", _mean_of(LOSS), _influence_of(LOSS, -1.0))
RMSE_OVER_PLACES: Final = _like("rmse", _root, _root_influence)
MAE_OVER_PLACES: Final = _like("mae", _mean_of(ERROR), _influence_of(ERROR, -1.0))
_METRICS: Final = (ACCURACY_OVER_PLACES, LOG_LOSS_OVER_PLACES, RMSE_OVER_PLACES, MAE_OVER_PLACES)


def metric_over_places(said: object, kind: Placed) -> Metric:
    """The metric that a user named for targets with several places; accuracy, or RMSE, where none was. Raises UserError."""
    answers = Answers.NUMBERS if kind is Placed.NUMBERS else Answers.CLASSES
    fitting = [each for each in _METRICS if each.answers is answers]
    name = said.name if isinstance(said, Metric) else said
    key = "" if not isinstance(name, str) else name.casefold().replace("-", "_").replace(" ", "_")
    found = fitting[0] if said is None else next((each for each in fitting if each.name == key), None)
    if found is None:
        came = f'"{name}"' if isinstance(name, str) else f"a {type(said).__name__}"
        raise UserError(
            f"where every row has several targets the metric must be {' or '.join(each.name for each in fitting)}, over all of "
            f"them, however {came} came"
        )
    return found
