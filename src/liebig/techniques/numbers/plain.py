"""Plain numbers.

Does: gives each scaled number to the network as one input.
Helps: wide tables (over 200 numeric columns), word counts, columns that act linearly.
Misleads: a small network fits sharp bends of a single column slowly.
Source: the usual practice; see piecewise-linear for the alternative.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from liebig.core.arrays import Reals
from liebig.techniques.numbers.encoding import NumberEncoding


class PlainNumbers(NumberEncoding):
    """Each scaled number as one input."""

    kind: Literal["plain"] = "plain"

    @property
    def keeps_number(self) -> bool:
        return True

    def width(self, distinct: int) -> int:
        return 0

    def edges_of(self, values: Reals, width: int) -> Reals:
        return np.zeros(0)
