"""Quantile transformation to a normal distribution.

Does: takes each value to its rank among the training rows, and the rank to the normal distribution that has it; ranks
  between two known quantiles are interpolated, values beyond the training range get the outermost rank.
Helps: columns of heavy tail or many scales, where only the order matters.
Misleads: distances are lost; a column that acts linearly without bound loses what its far values say.
Source: scikit-learn's QuantileTransformer is the reference of its test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from liebig.core.arrays import Reals
from liebig.techniques.scalings.scaling import Fitted, Scaling

_END = 1e-7  # the outermost rank, as scikit-learn has it: 5.2 standard deviations


class Quantile(Scaling):
    """Rank to normal; `quantiles` ranks are kept for each column (fewer where there are fewer rows)."""

    kind: Literal["quantile"] = "quantile"
    quantiles: int = Field(1000, ge=10, le=100_000)

    def fit(self, values: Reals) -> Fitted:
        ranks = np.linspace(0.0, 1.0, min(self.quantiles, max(len(values), 2)))
        # interpolation may leave neighbours out of order by a rounding error
        return {"quantiles": np.maximum.accumulate(np.nanquantile(values, ranks, axis=0), axis=0)}

    def apply(self, values: Tensor, fitted: Mapping[str, Tensor]) -> Tensor:
        table = fitted["quantiles"].T.contiguous()  # [columns, ranks]
        flat = values.reshape(-1, values.shape[-1]).T.contiguous()  # [columns, rows]
        # A value that stands for many rows has many ranks: the mean of its lowest and highest.
        below = _interpolated(table, flat)
        above = 1.0 - _interpolated(-table.flip(-1), -flat)
        rank = 0.5 * (below + above)
        # The ends are exact, as scikit-learn has them, however many rows stand there.
        rank = (
            rank.masked_fill(flat <= table[:, :1], 0.0).masked_fill(flat >= table[:, -1:], 1.0).clamp(_END, 1.0 - _END)
        )
        scaled = torch.special.ndtri(rank).T.reshape(values.shape)
        return torch.where(values.isnan(), values, scaled)


def _interpolated(table: Tensor, values: Tensor) -> Tensor:
    """Rank in 0..1 of `values` [columns, rows] among `table` [columns, ranks], the highest where a value repeats."""
    last = table.shape[-1] - 1
    left = (torch.searchsorted(table, values.contiguous(), right=True) - 1).clamp(0, last - 1)
    low, high = table.gather(-1, left), table.gather(-1, left + 1)
    part = torch.where(high > low, (values - low) / (high - low), torch.ones_like(values))
    return ((left + part.clamp(0.0, 1.0)) / last).clamp(0.0, 1.0)
