"""Standardisation to zero mean and unit variance.

Does: subtracts each column's mean over the training rows and divides by its standard deviation. Nothing is clipped.
Helps: every network whose inputs differ in scale; an unbounded column that acts linearly keeps its full range.
Misleads: in a column of heavy tail a few rows make the standard deviation.
Source: LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", section 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from torch import Tensor

from liebig.core.arrays import Reals
from liebig.techniques.scalings.scaling import Fitted, Scaling, not_zero


class Standardise(Scaling):
    """Zero mean, unit variance over the training rows."""

    kind: Literal["standardise"] = "standardise"

    def fit(self, values: Reals) -> Fitted:
        # in units of the largest value, so that squares of huge numbers do not overflow
        unit = not_zero(np.nanmax(np.abs(values), axis=0))
        return {
            "mean": np.nanmean(values / unit, axis=0) * unit,
            "spread": not_zero(np.nanstd(values / unit, axis=0) * unit),
        }

    def apply(self, values: Tensor, fitted: Mapping[str, Tensor]) -> Tensor:
        return (values - fitted["mean"]) / fitted["spread"]
