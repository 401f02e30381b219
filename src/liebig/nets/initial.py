"""The weights that a network starts from where no technique says otherwise: as torch's own layers do."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from liebig.stack.specs import ParameterSpec, Role


def torch_default(spec: ParameterSpec, generator: torch.Generator) -> Tensor:
    """One member's values, float32 `spec.shape`: weights and biases of a linear layer uniform within 1 / sqrt(fan in) (torch's
    `nn.Linear`), embeddings standard normal (`nn.Embedding`), scales 1, shifts 0."""
    if spec.role is Role.SCALE:
        return torch.ones(spec.shape)
    if spec.role is Role.SHIFT:
        return torch.zeros(spec.shape)
    if spec.role in {Role.EMBEDDING, Role.FREQUENCY}:
        return torch.randn(spec.shape, generator=generator)
    limit = 1.0 / math.sqrt(spec.fan_in)
    return torch.rand(spec.shape, generator=generator).mul_(2 * limit).sub_(limit)
