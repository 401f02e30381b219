"""Rectified linear unit.

Does: passes what is positive, answers 0 for the rest.
Helps: the plain choice: cheap, does not saturate above.
Misleads: a unit pushed below 0 for every sample is dead: it gets no gradient any more.
Source: Nair & Hinton 2010, "Rectified Linear Units Improve Restricted Boltzmann Machines".
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from liebig.nets.activations.activation import Activation, Kept


class ReLU(Activation):
    keeps: ClassVar[Kept] = Kept.SIGN
    kind: Literal["relu"] = "relu"

    def __call__(self, entering: Tensor) -> Tensor:
        return torch.relu(entering)

    def applied_(self, entering: Tensor) -> Tensor:
        return torch.relu_(entering)

    def backward_(self, gradient: Tensor, kept: Tensor) -> Tensor:
        torch.ops.aten.threshold_backward.grad_input(gradient, kept, 0.0, grad_input=gradient)
        return gradient
