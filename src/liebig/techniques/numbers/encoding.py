"""What every encoding of numbers promises: edges fitted in numpy on training rows, and a position among them.

A number's *position* among edges e_0 < ... < e_T is the bin it lies in plus how far into it: 0 at or below e_0, T at or
above e_T. Its piecewise-linear code is one value for each bin, clamp(position - bin, 0, 1), so that one number for each
row and column keeps the whole code.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from liebig.core.arrays import Reals
from liebig.core.settings import Settings


class NumberEncoding(Settings):
    """The settings of a fixed encoding of numbers."""

    @property
    @abstractmethod
    def keeps_number(self) -> bool:
        """True when the scaled number itself is an input."""

    @abstractmethod
    def width(self, distinct: int) -> int:
        """Codes for a column of so many distinct values; fixed before fitting, so that all blocks agree."""

    @abstractmethod
    def edges_of(self, values: Reals, width: int) -> Reals:
        """At most `width` + 1 edges, strictly rising, of one column's training values (no NaN, at least one)."""


def positions(values: Tensor, edges: Tensor) -> Tensor:
    """Position of each value among its column's edges, float64 [rows, columns].

    `values` float64 [rows, columns] without NaN; `edges` float64 [columns, most + 2], rising, each row filled up with at
    least one infinity.
    """
    columns = values.T.contiguous()
    left = (torch.searchsorted(edges, columns, right=True) - 1).clamp_(min=0)
    low, high = edges.gather(-1, left), edges.gather(-1, left + 1)
    return (left + (columns - low) / (high - low)).clamp_(min=0.0).T


def codes(position: Tensor, first: Tensor) -> Tensor:
    """Piecewise-linear codes [..., codes] of positions [..., codes], each beside the number `first` [codes] of its bin."""
    return (position - first).clamp_(0.0, 1.0)
