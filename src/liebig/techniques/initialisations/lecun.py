"""LeCun initialisation.

Does: draws weights with a spread of 1 / sqrt(inputs), whatever activation follows; biases start at zero.
Helps: SELU networks, which need it to keep themselves normalised; linear layers.
Misleads: for ReLU what passes forward halves in variance at each layer: He.
Source: LeCun et al. 1998, Efficient BackProp, section 4.6; Klambauer et al. 2017, arXiv:1706.02515.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from liebig.stack.specs import ParameterSpec
from liebig.techniques.initialisations.drawing import Distribution, drawn, weights_or_zero
from liebig.techniques.stage import Initialisation


class LeCun(Initialisation):
    """Settings of the LeCun initialisation."""

    kind: Literal["lecun"] = "lecun"
    distribution: Distribution = "normal"

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor | None:
        return weights_or_zero(spec, lambda: drawn(spec, 1.0 / math.sqrt(spec.fan_in), self.distribution, generator))
