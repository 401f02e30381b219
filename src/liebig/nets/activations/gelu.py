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

    def __call__(self, before: Tensor) -> Tensor:
        return torch.nn.functional.gelu(before)

    def backward(self, gradient: Tensor, before: Tensor, after: Tensor) -> Tensor:
        entered: Tensor = torch.ops.aten.gelu_backward(gradient, before)
        return entered
