"""Exponential linear unit.

Does: passes what is positive, bends smoothly to -1 below.
Helps: keeps the mean of units near 0; no unit dies for good.
Misleads: costs an exponential.
Source: Clevert, Unterthiner & Hochreiter 2016, arXiv:1511.07289.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.nets.activations.activation import Activation


class ELU(Activation):
    kind: Literal["elu"] = "elu"

    def __call__(self, entering: Tensor) -> Tensor:
        return torch.nn.functional.elu(entering)

    def backward_(self, gradient: Tensor, kept: Tensor) -> Tensor:
        torch.ops.aten.elu_backward.grad_input(gradient, 1.0, 1.0, 1.0, False, kept, grad_input=gradient)
        return gradient
