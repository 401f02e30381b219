"""He initialisation.

Does: draws weights with a spread of gain / sqrt(inputs), the gain by the activation that follows (sqrt(2) for ReLU);
    biases start at zero.
Helps: keeps the size of what passes forward through ReLU-like layers; deep networks without normalisation.
Misleads: it knows nothing of the inputs' scale: standardise them.
Source: He et al. 2015, arXiv:1502.01852, section 2.2; equals torch's kaiming_normal_ in mode fan_in.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from liebig.stack.gains import gain_of
from liebig.stack.specs import ParameterSpec
from liebig.techniques.initialisations.drawing import Distribution, drawn, weights_or_zero
from liebig.techniques.stage import Initialisation


class He(Initialisation):
    """Settings of the He initialisation."""

    kind: Literal["he"] = "he"
    distribution: Distribution = "normal"

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor | None:
        spread = gain_of(spec.activation) / math.sqrt(spec.fan_in)
        return weights_or_zero(spec, lambda: drawn(spec, spread, self.distribution, generator))
