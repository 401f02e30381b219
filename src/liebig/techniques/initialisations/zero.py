"""Zero initialisation.

Does: sets all weights and biases to zero.
Helps: nothing but linear models: it is here to show why not.
Misleads: units of a layer that start alike get the same gradient and stay alike: the layer counts as one unit.
Source: Goodfellow et al. 2016, Deep Learning, section 8.4 (breaking symmetry).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.stack.specs import ParameterSpec
from liebig.techniques.initialisations.drawing import weights_or_zero
from liebig.techniques.stage import Initialisation


class Zero(Initialisation):
    """Settings of the zero initialisation: none."""

    kind: Literal["zero"] = "zero"

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor | None:
        return weights_or_zero(spec, lambda: torch.zeros(spec.shape))
