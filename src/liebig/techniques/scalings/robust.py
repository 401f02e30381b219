"""Robust scaling with smooth clipping.

Does: subtracts the median, divides by the distance of the quartiles (where they agree by half the range), then bends
  values smoothly into (-limit, limit): x / sqrt(1 + (x / limit)^2).
Helps: columns of heavy tail whose far values are noise.
Misleads: a column that acts linearly without bound loses what its far values say; measured on flight delays, clipping
  cost a third of the accuracy.
Source: Holzmüller, Grinsztajn & Steinwart 2024, "Better by default" (RealMLP), arXiv:2407.04491, appendix A.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from liebig.core.arrays import Reals
from liebig.techniques.scalings.scaling import Fitted, Scaling, not_zero


class Robust(Scaling):
    """Median to 0, quartile distance to 1, smoothly clipped; `limit` in quartile distances (0 does not clip)."""

    kind: Literal["robust"] = "robust"
    limit: float = Field(3.0, ge=0.0, allow_inf_nan=False)

    def fit(self, values: Reals) -> Fitted:
        low, first, median, third, high = np.nanquantile(values, [0.0, 0.25, 0.5, 0.75, 1.0], axis=0)
        distance = np.where(third > first, third - first, (high - low) / 2)
        return {"median": median, "distance": not_zero(distance)}

    def apply(self, values: Tensor, fitted: Mapping[str, Tensor]) -> Tensor:
        scaled = (values - fitted["median"]) / fitted["distance"]
        if self.limit == 0.0:
            return scaled
        return scaled / torch.sqrt(1.0 + (scaled / self.limit) ** 2)
