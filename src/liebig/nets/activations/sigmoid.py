"""Sigmoid activation.

Does: squashes every unit into (0, 1).
Helps: outputs that are probabilities; historical networks, inputs scaled to [0, 1].
Misleads: saturates beyond +-5 and passes at most a quarter of the gradient: deep stacks of it hardly learn.
Source: Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors".
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from liebig.nets.activations.activation import Activation, Kept


class Sigmoid(Activation):
    keeps: ClassVar[Kept] = Kept.LEAVING
    kind: Literal["sigmoid"] = "sigmoid"

    def __call__(self, entering: Tensor) -> Tensor:
        return torch.sigmoid(entering)

    def applied_(self, entering: Tensor) -> Tensor:
        return torch.sigmoid_(entering)

    def backward_(self, gradient: Tensor, kept: Tensor) -> Tensor:
        torch.ops.aten.sigmoid_backward.grad_input(gradient, kept, grad_input=gradient)
        return gradient
