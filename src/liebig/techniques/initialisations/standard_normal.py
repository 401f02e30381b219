"""Standard normal initialisation.

Does: draws weights with a spread of 1, whatever the size of the layer; biases start at zero.
Helps: nothing: it is here to show why not.
Misleads: what passes forward grows by the root of the inputs at each layer: units saturate, gradients explode.
Source: historical; the argument against it is that of Glorot & Bengio 2010.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.stack.specs import ParameterSpec
from liebig.techniques.initialisations.drawing import drawn, weights_or_zero
from liebig.techniques.stage import Initialisation


class StandardNormal(Initialisation):
    """Settings of the standard normal initialisation."""

    kind: Literal["standard-normal"] = "standard-normal"

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor | None:
        return weights_or_zero(spec, lambda: drawn(spec, 1.0, "normal", generator))
