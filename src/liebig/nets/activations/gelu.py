"""Gaussian error linear unit.

Does: weighs every unit by the normal probability of a value below it: x * Phi(x).
Helps: a smooth rectifier without dead units; the default for tables.
Misleads: costs an error function.
Source: Hendrycks & Gimpel 2016, arXiv:1606.08415.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.nets.activations.activation import Activation


class GELU(Activation):
    kind: Literal["gelu"] = "gelu"

    def __call__(self, entering: Tensor) -> Tensor:
        return torch.nn.functional.gelu(entering)

    def backward_(self, gradient: Tensor, kept: Tensor) -> Tensor:
        torch.ops.aten.gelu_backward.grad_input(gradient, kept, grad_input=gradient)
        return gradient
