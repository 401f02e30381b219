"""Rectified linear unit.

Does: passes what is positive, answers 0 for the rest.
Helps: the plain choice: cheap, does not saturate above.
Misleads: a unit pushed below 0 for every sample is dead: it gets no gradient any more.
Source: Nair & Hinton 2010, "Rectified Linear Units Improve Restricted Boltzmann Machines".
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.nets.activations.activation import Activation


class ReLU(Activation):
    kind: Literal["relu"] = "relu"

    def __call__(self, before: Tensor) -> Tensor:
        return torch.relu(before)

    def backward(self, gradient: Tensor, before: Tensor, after: Tensor) -> Tensor:
        # In place: a fresh tensor of this size costs more in page faults than in arithmetic.
        torch.ops.aten.threshold_backward.grad_input(gradient, after, 0.0, grad_input=gradient)
        return gradient
