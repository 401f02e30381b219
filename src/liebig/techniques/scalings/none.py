"""No scaling.

Does: leaves every number as it came.
Helps: nothing; it is what a first network usually gets, and the control that scalings are measured against.
Misleads: columns of large numbers decide alone, whatever they mean; steps fitting them are too long or too short for others.
Source: LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", section 4.3, on why inputs are scaled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from torch import Tensor

from liebig.core.arrays import Reals
from liebig.techniques.scalings.scaling import Fitted, Scaling


class NoScaling(Scaling):
    """Numbers as they came."""

    kind: Literal["none"] = "none"

    def fit(self, values: Reals) -> Fitted:
        return {}

    def apply(self, values: Tensor, fitted: Mapping[str, Tensor]) -> Tensor:
        return values
