"""Min-max scaling to [-1, 1].

Does: takes each column's smallest training value to -1 and its largest to 1; a column that does not vary becomes 0.
Helps: tanh networks, whose units answer between -1 and 1.
Misleads: one outlier squeezes all other values together.
Source: LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", section 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from torch import Tensor

from liebig.core.arrays import Reals
from liebig.techniques.scalings.scaling import Fitted, Scaling, not_zero


class Symmetric(Scaling):
    """To [-1, 1] by the smallest and largest training value."""

    kind: Literal["symmetric"] = "symmetric"

    def fit(self, values: Reals) -> Fitted:
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        # halves first: the sum of two large numbers may overflow
        return {"middle": low / 2 + high / 2, "half": not_zero(high / 2 - low / 2)}

    def apply(self, values: Tensor, fitted: Mapping[str, Tensor]) -> Tensor:
        return (values - fitted["middle"]) / fitted["half"]
