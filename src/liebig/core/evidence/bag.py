"""The bag itself: an immutable set of typed measurements of one run.

What was not measured is absent, never zero. A measurement is a frozen dataclass of plain values and tuples, so that
checks, trials and reports read it without torch and the store can keep it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Measurement:
    """The parent of every measurement."""


M = TypeVar("M", bound=Measurement)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Measurements of one run, at most one of each type."""

    measurements: tuple[Measurement, ...] = ()

    def get(self, kind: type[M]) -> M | None:
        """The measurement of this type, or None when it was not made."""
        return next((each for each in self.measurements if type(each) is kind), None)

    def having(self, *more: Measurement) -> Evidence:
        """This evidence with `more` added, each in place of one of the same type."""
        kinds = {type(each) for each in more}
        return Evidence((*(each for each in self.measurements if type(each) not in kinds), *more))

    def __iter__(self) -> Iterator[Measurement]:
        return iter(self.measurements)


def evidence_of(measurements: Iterable[Measurement | None]) -> Evidence:
    """Evidence from those measurements that were made."""
    return Evidence(tuple(each for each in measurements if each is not None))
