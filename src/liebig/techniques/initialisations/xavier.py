"""Xavier initialisation.

Does: draws weights with a spread of gain x root of 2 / (inputs + outputs), the gain by the activation that follows (5/3 for
    tanh); biases start at zero.
Helps: sigmoid and tanh networks: a compromise between what passes forward and what comes back.
Misleads: for ReLU-like activations with narrow inputs it starts too small: He.
Source: Glorot & Bengio 2010, equation 12; equals torch's xavier_normal_.
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


class Xavier(Initialisation):
    """Settings of the Xavier initialisation."""

    kind: Literal["xavier"] = "xavier"
    distribution: Distribution = "normal"

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor | None:
        spread = gain_of(spec.activation) * math.sqrt(2.0 / (spec.fan_in + spec.fan_out))
        return weights_or_zero(spec, lambda: drawn(spec, spread, self.distribution, generator))
