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

    def __call__(self, entering: Tensor) -> Tensor:
        return torch.nn.functional.silu(entering)

    def backward_(self, gradient: Tensor, kept: Tensor) -> Tensor:
        torch.ops.aten.silu_backward.grad_input(gradient, kept, grad_input=gradient)
        return gradient
