"""Leaky rectified linear unit.

Does: passes what is positive, and `slope` of what is negative.
Helps: units that died under a rectifier get a gradient again.
Misleads: a slope near 1 makes the network linear.
Source: Maas, Hannun & Ng 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic Models".
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.nets.activations.activation import Activation, Kept


class LeakyReLU(Activation):
    keeps: ClassVar[Kept] = Kept.SIGN
    kind: Literal["leaky-relu"] = "leaky-relu"
    slope: float = Field(0.01, ge=0.0, lt=1.0)

    def __call__(self, entering: Tensor) -> Tensor:
        return torch.nn.functional.leaky_relu(entering, self.slope)

    def applied_(self, entering: Tensor) -> Tensor:
        return torch.nn.functional.leaky_relu_(entering, self.slope)

    def backward_(self, gradient: Tensor, kept: Tensor) -> Tensor:
        torch.ops.aten.leaky_relu_backward.grad_input(gradient, kept, self.slope, True, grad_input=gradient)
        return gradient
