"""Division by the largest absolute value.

Does: divides each column by its largest absolute training value; zeros stay zeros.
Helps: counts and pixel values (255), sparse columns.
Misleads: a column far from zero stays far from zero; one outlier squeezes all other values together.
Source: scikit-learn's MaxAbsScaler is the reference of its test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from torch import Tensor

from liebig.core.arrays import Reals
from liebig.techniques.scalings.scaling import Fitted, Scaling, not_zero


class DivideByMax(Scaling):
    """Divided by the largest absolute training value."""

    kind: Literal["max"] = "max"

    def fit(self, values: Reals) -> Fitted:
        return {"largest": not_zero(np.nanmax(np.abs(values), axis=0))}

    def apply(self, values: Tensor, fitted: Mapping[str, Tensor]) -> Tensor:
        return values / fitted["largest"]
