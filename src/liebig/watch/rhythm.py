"""When will the loop evaluate next? Loops do so at even distances, and then it is worth listening."""

from __future__ import annotations

import itertools
from statistics import median
from typing import Final

_KEPT: Final = 6  # marks
_NEVER: Final = 1 << 60
_WITHIN: Final = 0.02  # of the distance: the last batches of an epoch may be left out


class Rhythm:
    """Learns from the steps after which the loop evaluated, or said that it had."""

    def __init__(self) -> None:
        self._marks: list[int] = [0]

    def mark(self, step: int) -> None:
        """It evaluates after `step` steps."""
        if step > self._marks[-1]:
            self._marks = [*self._marks, step][-_KEPT:]

    def expected(self, step: int) -> tuple[int, int]:
        """The first and the last step after which the next evaluation may come; far away where nothing is known yet."""
        if len(self._marks) < 2:
            return _NEVER, _NEVER
        distance = max(1.0, median(b - a for a, b in itertools.pairwise(self._marks)))
        slack = 1 + int(_WITHIN * distance)
        ahead = max(1, -(-(step - slack - self._marks[-1]) // distance))  # one that was not heard counts none the less
        place = round(self._marks[-1] + ahead * distance)
        return place - slack, place + slack
