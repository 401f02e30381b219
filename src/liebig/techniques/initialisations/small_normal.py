"""Small normal initialisation.

Does: draws weights with a small fixed `spread`; biases start at zero.
Helps: shallow networks; transformers use 0.02.
Misleads: in deep networks what passes forward fades by a constant factor at each layer.
Source: Krizhevsky et al. 2012, section 5 (0.01).
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.settings import STACKABLE
from liebig.stack.specs import ParameterSpec
from liebig.techniques.initialisations.drawing import drawn, weights_or_zero
from liebig.techniques.stage import Initialisation


class SmallNormal(Initialisation):
    """Settings of the small normal initialisation."""

    kind: Literal["small-normal"] = "small-normal"
    spread: Annotated[float, Field(gt=0, le=10), STACKABLE] = 0.01

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor | None:
        return weights_or_zero(spec, lambda: drawn(spec, self.spread, "normal", generator))
