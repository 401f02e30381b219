"""When to look: whole at steps 0-9, lightly up to step 50, then whole at geometrically spaced steps and at the last.

Causes that look alike after training differ by orders of magnitude at the start, so the start is watched closely. In a
loop whose end is not known three of the first ten looks are light, and those after step 9 are geometrically spaced at once,
light and whole ones taking turns.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

WHOLE_UNTIL: Final = 9
LIGHT_UNTIL: Final = 50
_RATIO: Final = 1.5
_OPEN_LIGHT: Final = frozenset({4, 6, 8})  # of the first steps of such a loop: light is half the cost
_OPEN_RATIO: Final = 1.25  # light and whole ones taking turns, so that whole ones are 1.56 apart
_LONGEST: Final = 10**12  # steps: no loop is longer


class Seeing(Enum):
    """What a look takes: nothing; losses, rates and weights with their change; or layers and gradients as well."""

    NOTHING = 0
    LIGHT = 1
    WHOLE = 2


def late_steps(total_steps: int) -> frozenset[int]:
    """The steps after `LIGHT_UNTIL` that are looked at, the last among them."""
    steps, step = {total_steps - 1}, float(LIGHT_UNTIL)
    while step * _RATIO < total_steps:
        step *= _RATIO
        steps.add(round(step))
    return frozenset(steps)


def seeing(step: int, late: frozenset[int]) -> Seeing:
    """What to look at in `step` (0-based)."""
    if step <= WHOLE_UNTIL or step in late:
        return Seeing.WHOLE
    return Seeing.LIGHT if step <= LIGHT_UNTIL else Seeing.NOTHING


def open_looks() -> tuple[tuple[int, Seeing], ...]:
    """All looks of a loop whose end is not known, in order."""
    looks = [(step, Seeing.LIGHT if step in _OPEN_LIGHT else Seeing.WHOLE) for step in range(WHOLE_UNTIL + 1)]
    step, whole = float(WHOLE_UNTIL), False
    while step < _LONGEST:
        step = max(step * _OPEN_RATIO, step + 2)
        looks.append((round(step), Seeing.WHOLE if whole else Seeing.LIGHT))
        whole = not whole
    return tuple(looks)
