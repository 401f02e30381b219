"""Scaled exponential linear unit.

Does: an exponential linear unit scaled so that mean 0 and variance 1 reproduce themselves from layer to layer.
Helps: deep plain stacks without normalisation.
Misleads: only with LeCun initialisation and standardised inputs.
Source: Klambauer et al. 2017, arXiv:1706.02515.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.nets.activations.activation import Activation


class SELU(Activation):
    kind: Literal["selu"] = "selu"

    def __call__(self, entering: Tensor) -> Tensor:
        return torch.selu(entering)

    def backward_(self, gradient: Tensor, kept: Tensor) -> Tensor:
        torch.ops.aten.elu_backward.grad_input(
            gradient, 1.6732632423543772, 1.0507009873554805, 1.0, False, kept, grad_input=gradient
        )
        return gradient
