"""Piecewise-linear encoding of numbers.

Does: cuts each column into bins at edges fitted on training rows; a bin's code is 0 below it, 1 above it, and rises
  linearly inside. Mixed edges take half from quantiles of the rows and half from quantiles of the distinct values; a column
  with few distinct values takes those values. The scaled number stands beside the codes and is not clipped.
Helps: tables of numbers whose effect bends; it closes much of the distance to boosted trees.
Misleads: with hundreds of columns it multiplies the inputs; edges at quantiles of rows alone leave a column that is mostly
  zero with two or three bins. Beyond the training range the codes stay 0 and 1 (the paper extends the outer bins), and only
  the number beside them goes on.
Source: Gorishniy, Rubachev & Babenko 2022, "On Embeddings for Numerical Features in Tabular Deep Learning",
  arXiv:2203.05556, equation 1; mixed edges are ours, measured on 17 tables.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from liebig.core.arrays import Reals
from liebig.techniques.numbers.encoding import NumberEncoding


class PiecewiseLinear(NumberEncoding):
    """`bins` codes for each column, and the number itself when `keep_number`."""

    kind: Literal["piecewise-linear"] = "piecewise-linear"
    bins: int = Field(32, ge=2, le=1024)
    edges: Literal["mixed", "quantile"] = "mixed"
    keep_number: bool = True

    @property
    def keeps_number(self) -> bool:
        return self.keep_number

    def width(self, distinct: int) -> int:
        if distinct <= 2 and self.keep_number:
            return 0  # the code of two values is the number over again
        return max(min(self.bins, distinct - 1), 1)

    def edges_of(self, values: Reals, width: int) -> Reals:
        distinct = np.unique(values)
        if len(distinct) <= width + 1:
            return distinct
        if self.edges == "quantile":
            return np.unique(np.quantile(values, np.linspace(0.0, 1.0, width + 1)))
        from_values = (width + 1) // 2
        by_rows = np.quantile(values, np.linspace(0.0, 1.0, width + 1 - from_values))
        # inner ranks only: both ends are there already
        by_values = np.quantile(distinct, np.linspace(0.0, 1.0, from_values + 2)[1:-1])
        return np.unique(np.concatenate([by_rows, by_values]))
