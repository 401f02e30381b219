"""How the seconds that things take here compare with those predicted from shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: How quickly measured costs replace what was predicted: older calls count so much less.
_FORGET: Final = 0.8
#: Before anything is measured, costs are taken to be so many times those predicted from shapes.
_CAUTION: Final = 1.2
#: One call counts as at most so many times slower than expected, and so many seconds.
_MOST_SLOWER: Final = 4.0
_STUMBLE: Final = 0.2


@dataclass(slots=True)
class Pace:
    """Measured over predicted seconds, recent calls first."""

    measured: float = 0.0
    predicted: float = 0.0

    def seeing(self, measured: float, predicted: float) -> None:
        # A single slow call (a library loaded at its first use, a burst of other work) says little about the next.
        measured = min(measured, _MOST_SLOWER * self.factor * predicted + _STUMBLE)
        self.measured = _FORGET * self.measured + measured
        self.predicted = _FORGET * self.predicted + predicted

    @property
    def factor(self) -> float:
        return self.measured / self.predicted if self.predicted > 0 else _CAUTION


class Paces:
    """Corrects predicted seconds by what was measured: of populations by what they share (`Recipe.population_key`), of
    classical algorithms by their names."""

    def __init__(self) -> None:
        self._all, self._populations = Pace(), dict[str, Pace]()
        self._fits: dict[str, Pace] = {}

    def forget_populations(self) -> None:
        self._all, self._populations = Pace(), {}

    def trained(self, predicted: Mapping[str, float], spent: float) -> None:
        """Populations for which these seconds were predicted took `spent` together."""
        whole = sum(predicted.values())
        self._all.seeing(spent, whole)
        if len(predicted) == 1:
            self._populations.setdefault(next(iter(predicted)), Pace()).seeing(spent, whole)

    def training(self, predicted: Mapping[str, float]) -> float:
        """Seconds that populations will take for which these were predicted."""
        return sum(seconds * self._populations.get(key, self._all).factor for key, seconds in predicted.items())

    def fitted(self, name: str, predicted: float, spent: float) -> None:
        self._fits.setdefault(name, Pace()).seeing(spent, predicted)

    def fitting(self, name: str, predicted: float) -> float:
        """Seconds that a fit of this algorithm will take. One that was not fitted yet is taken to suffer as much as networks do
        where the machine is busy."""
        pace = self._fits.get(name)
        return predicted * (max(1.0, self._all.factor) if pace is None else pace.factor)
