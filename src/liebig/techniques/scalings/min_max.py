"""Min-max scaling to [0, 1].

Does: takes each column's smallest training value to 0 and its largest to 1; later values may lie beyond.
Helps: sigmoid networks, whose units answer between 0 and 1; columns with known bounds.
Misleads: one outlier squeezes all other values together.
Source: scikit-learn's MinMaxScaler is the reference of its test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from torch import Tensor

from liebig.core.arrays import Reals
from liebig.techniques.scalings.scaling import Fitted, Scaling, not_zero


class MinMax(Scaling):
    """To [0, 1] by the smallest and largest training value."""

    kind: Literal["min-max"] = "min-max"

    def fit(self, values: Reals) -> Fitted:
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        return {"low": low, "range": not_zero(high - low)}

    def apply(self, values: Tensor, fitted: Mapping[str, Tensor]) -> Tensor:
        return (values - fitted["low"]) / fitted["range"]
