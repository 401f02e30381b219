"""Sigmoid-weighted linear unit.

Does: x * sigmoid(x), also called swish.
Helps: a smooth rectifier, near to GELU.
Misleads: costs an exponential.
Source: Elfwing, Uchibe & Doya 2018, arXiv:1702.03118.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.nets.activations.activation import Activation


class SiLU(Activation):
    kind: Literal["silu"] = "silu"

    def __call__(self, before: Tensor) -> Tensor:
        return torch.nn.functional.silu(before)

    def backward(self, gradient: Tensor, before: Tensor, after: Tensor) -> Tensor:
        entered: Tensor = torch.ops.aten.silu_backward(gradient, before)
        return entered
