"""Group normalisation.

Does: standardises every example over groups of neighbouring units, then scales and shifts each unit by learnt values.
Helps: as layer normalisation, while groups of units keep sizes of their own; small batches.
Misleads: units of a dense layer have no natural groups.
Source: Wu & He 2018, arXiv:1803.08494, equation 7.
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional

from liebig.nets.normalisations.normalisation import Named, Normalisation, scaled


class GroupNorm(Normalisation):
    """`groups` groups; where they do not divide the units, the largest common divisor."""

    kind: Literal["group"] = "group"
    groups: int = Field(8, ge=1)
    epsilon: float = Field(1e-5, gt=0.0, le=1.0)

    def __call__(self, x: Tensor, name: str, weights: Named, buffers: Named, training: bool) -> Tensor:
        groups = math.gcd(self.groups, x.shape[-1])
        grouped = x.reshape(*x.shape[:-1], groups, -1)
        normal = functional.layer_norm(grouped, grouped.shape[-1:], eps=self.epsilon).flatten(-2)
        return scaled(normal, name, weights)
