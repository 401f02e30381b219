"""Orthogonal initialisation.

Does: draws weight matrices whose shorter side is orthogonal, times the gain of the activation that follows; biases start at
    zero.
Helps: very deep or recurrent networks: no direction fades or grows.
Misleads: little difference to He in two or three layers.
Source: Saxe et al. 2014, arXiv:1312.6120; equals torch's orthogonal_.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.stack.gains import gain_of
from liebig.stack.specs import ParameterSpec
from liebig.techniques.initialisations.drawing import drawn, weights_or_zero
from liebig.techniques.stage import Initialisation


class Orthogonal(Initialisation):
    """Settings of the orthogonal initialisation: none."""

    kind: Literal["orthogonal"] = "orthogonal"

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor | None:
        return weights_or_zero(spec, lambda: _orthogonal(spec, generator))


def _orthogonal(spec: ParameterSpec, generator: torch.Generator) -> Tensor:
    if len(spec.shape) < 2:  # a vector has no directions to keep apart: one of the right length on average
        return drawn(spec, gain_of(spec.activation) * spec.fan_in**-0.5, "normal", generator)
    empty = torch.empty(spec.shape, device=generator.device)
    return torch.nn.init.orthogonal_(empty, gain_of(spec.activation), generator=generator)
