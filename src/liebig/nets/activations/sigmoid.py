"""Sigmoid activation.

Does: squashes every unit into (0, 1).
Helps: outputs that are probabilities; historical networks, inputs scaled to [0, 1].
Misleads: saturates beyond +-5 and passes at most a quarter of the gradient: deep stacks of it hardly learn.
Source: Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors".
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.nets.activations.activation import Activation


class Sigmoid(Activation):
    kind: Literal["sigmoid"] = "sigmoid"

    def __call__(self, before: Tensor) -> Tensor:
        return torch.sigmoid(before)

    def backward(self, gradient: Tensor, before: Tensor, after: Tensor) -> Tensor:
        entered: Tensor = torch.ops.aten.sigmoid_backward(gradient, after)
        return entered
