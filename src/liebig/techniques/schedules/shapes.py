"""Pieces that schedules are made of."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import Field

#: Characters of a line of numbers in a plain script.
_WIDTH: Final = 110

#: Share of all steps over which the rate grows from next to nothing.
WarmupShare = Annotated[float, Field(ge=0, le=0.9)]


def warmup_steps(share: float, total_steps: int) -> int:
    """How many steps warm up: a share above zero gives at least one. Rounded up, but not for the rounding error of the
    share itself (0.1 of 10 steps is one)."""
    return math.ceil(share * total_steps - 1e-9)


def warmed(step: int, steps: int) -> float:
    """(step + 1) / steps over the first `steps`, so that step 0 already moves; 1 after, and where there are none."""
    return (step + 1) / steps if step < steps else 1.0


def cosine_between(start: float, end: float, share: float) -> float:
    """From `start` to `end` along half a cosine, `share` in 0..1."""
    return end + (start - end) * (1.0 + math.cos(math.pi * min(1.0, max(0.0, share)))) / 2.0


#: The same in a plain script.
WARMED = '''def warmed(step, steps):
    """The rate grows over the first steps; step 0 already moves."""
    return (step + 1) / steps if step < steps else 1.0
'''
BETWEEN = '''def between(start, end, share):
    """From start to end along half a cosine."""
    return end + (start - end) * (1.0 + math.cos(math.pi * min(1.0, max(0.0, share)))) / 2.0
'''


def along(values: Sequence[float], step: int, total_steps: int) -> float:
    """The value at a step (0-based) of `values`, which stand for the whole training, on lines between them."""
    place = step * (len(values) - 1) / max(1, total_steps - 1)
    low = min(int(place), len(values) - 1)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


#: The same in a plain script.
ALONG = '''def along(values, step, total_steps):
    """The value at a step, on lines between those that were written down."""
    place = step * (len(values) - 1) / max(1, total_steps - 1)
    low = min(int(place), len(values) - 1)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])
'''


def values_in_script(name: str, values: Sequence[float]) -> str:
    """A constant of a plain script that holds `values`."""
    table = textwrap.fill(", ".join(map(repr, values)), _WIDTH)
    return f"{name} = (\n{textwrap.indent(table, '    ')},\n)\n"
