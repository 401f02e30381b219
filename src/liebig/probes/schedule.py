"""When to look: closely at steps 0-9, then at geometrically spaced steps, and at the last step of a run whose end is known.

Causes that look alike after training differ by orders of magnitude at the start, so the start is watched closely. What owns
the loop makes no difference: a watched loop and a training of Liebig's own are looked at in the same steps.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

WHOLE_UNTIL: Final = 9
_LIGHT: Final = frozenset({4, 6, 8})  # of the first steps: light is half the cost
_RATIO: Final = 1.25  # light and whole ones taking turns, so that whole ones are 1.56 apart
_LONGEST: Final = 10**12  # steps: no loop is longer


class Seeing(Enum):
    """What a look takes: nothing; losses, rates and weights with their change; or layers and gradients as well."""

    NOTHING = 0
    LIGHT = 1
    WHOLE = 2


def open_looks() -> tuple[tuple[int, Seeing], ...]:
    """All looks of a loop whose end is not known, in order."""
    looks = [(step, Seeing.LIGHT if step in _LIGHT else Seeing.WHOLE) for step in range(WHOLE_UNTIL + 1)]
    step, whole = float(WHOLE_UNTIL), False
    while step < _LONGEST:
        step = max(step * _RATIO, step + 2)
        looks.append((round(step), Seeing.WHOLE if whole else Seeing.LIGHT))
        whole = not whole
    return tuple(looks)


def looks_until(total_steps: int) -> dict[int, Seeing]:
    """The looks of a run of so many steps: those of any loop, and a whole one at the last step."""
    looks = {step: seeing for step, seeing in open_looks() if step < total_steps}
    return looks | {total_steps - 1: Seeing.WHOLE}
