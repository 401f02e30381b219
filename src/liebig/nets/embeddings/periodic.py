"""Periodic embedding of numbers.

Does: gives each scaled number x beside itself sin(2 pi c x) and cos(2 pi c x) for learnt frequencies c of its own.
Helps: targets that change fast along a number; rare positives.
Misleads: too large a `spread` of the first frequencies fits noise.
Source: Gorishniy, Rubachev & Babenko 2022, arXiv:2203.05556, section 3.3 (without its linear layer: the first layer is one).
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.settings import Settings
from liebig.stack.specs import ParameterSpec, Role


class Periodic(Settings):
    """`spread` is the standard deviation of the first frequencies."""

    kind: Literal["periodic"] = "periodic"
    frequencies: int = Field(8, ge=1, le=256)
    spread: float = Field(0.1, gt=0.0, le=100.0)

    def parameters(self, numbers: int) -> tuple[ParameterSpec, ...]:
        return (ParameterSpec("numbers.frequency", (numbers, self.frequencies), Role.FREQUENCY, 1, self.frequencies),)

    def width(self, numbers: int) -> int:
        """Inputs that come of `numbers` numbers."""
        return numbers * (2 * self.frequencies + 1)

    def __call__(self, numbers: Tensor, frequency: Tensor) -> Tensor:
        """`numbers` [K, B, n], `frequency` [K, n, frequencies] -> [K, B, width]. Angles are taken in float32."""
        angles = (2 * torch.pi) * numbers.float()[..., None] * frequency.float()[:, None]
        waves = torch.cat([angles.sin(), angles.cos()], dim=-1).to(numbers.dtype)
        return torch.cat([numbers, waves.flatten(2)], dim=2)
