"""What initialisations share: which parameters they draw, and how numbers of a given spread are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from liebig.stack.specs import ParameterSpec, Role

Distribution = Literal["normal", "uniform"]


def drawn(spec: ParameterSpec, spread: float, distribution: Distribution, generator: torch.Generator) -> Tensor:
    """Numbers of mean 0 and standard deviation `spread`, float32 `spec.shape`."""
    empty = torch.empty(spec.shape, device=generator.device)
    if distribution == "normal":
        return empty.normal_(0.0, spread, generator=generator)
    bound = math.sqrt(3.0) * spread
    return empty.uniform_(-bound, bound, generator=generator)


def weights_or_zero(spec: ParameterSpec, weights: Callable[[], Tensor]) -> Tensor | None:
    """`weights()` for a weight, zeros for a bias, None (left as the network starts it) for everything else."""
    if spec.role is Role.WEIGHT:
        return weights()
    return torch.zeros(spec.shape) if spec.role is Role.BIAS else None
