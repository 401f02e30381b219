"""How answers of classes are read: as which probabilities, and from which one on a class is named."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from liebig.core.arrays import Predictions, Reals
from liebig.core.metric import Metric

_FLOOR: Final = 1e-7  # float32 probabilities below this carry no information


@dataclass(frozen=True, slots=True)
class Decision:
    """A `temperature` by which the logs of probabilities are divided (above 1: milder), and `shifts` [classes] that are added to them
    before the most probable class is named; empty: none are.

    Guo et al. 2017, arXiv:1706.04599 (temperature); Menon et al. 2021, arXiv:2007.07314 (shifts; for two classes they are a threshold).
    """

    temperature: float = 1.0
    shifts: tuple[float, ...] = ()

    def calibrated(self, predictions: Predictions) -> Predictions:
        """The probabilities to be read (`core.arrays.Predictions`)."""
        if self.temperature == 1.0:
            return predictions
        return _probabilities(log_probabilities(predictions) / self.temperature, predictions.ndim)

    def naming(self, calibrated: Predictions) -> Predictions:
        """Calibrated probabilities, changed so that the most probable class is the one that is named: no probabilities any more."""
        if not self.shifts:
            return calibrated
        return _probabilities(log_probabilities(calibrated) + np.array(self.shifts), calibrated.ndim)

    def judged(self, predictions: Predictions, metric: Metric) -> Predictions:
        """What `metric` judges of an answer."""
        calibrated = self.calibrated(predictions)
        return self.naming(calibrated) if metric.names_classes else calibrated

    @property
    def threshold(self) -> float:
        """The calibrated probability of the second of two classes from which on it is named."""
        return 1.0 / (1.0 + math.exp(self.shifts[1] - self.shifts[0])) if self.shifts else 0.5

    def at(self, temperature: float) -> Decision:
        """The same classes named, from probabilities at this temperature."""
        ratio = self.temperature / temperature
        return Decision(temperature, tuple(each * ratio for each in self.shifts))

    def uncalibrated(self) -> Decision:
        """The same classes named, from probabilities as they come."""
        return self.at(1.0)

    def unshifted(self) -> Decision:
        """The same probabilities, of which the most probable class is named."""
        return Decision(self.temperature)


#: Answers as they come.
AS_THEY_COME: Final = Decision()


def log_probabilities(predictions: Predictions) -> Reals:
    """Logs of the probabilities of all classes, [n, classes]."""
    whole = predictions.astype(np.float64)
    each = np.stack([1.0 - whole, whole], axis=1) if whole.ndim == 1 else whole
    return np.asarray(np.log(np.clip(each, _FLOOR, 1.0)), dtype=np.float64)


def _probabilities(logs: Reals, dimensions: int) -> Predictions:
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares = raised / raised.sum(axis=1, keepdims=True)
    return np.asarray(shares[:, 1] if dimensions == 1 else shares, dtype=np.float32)
