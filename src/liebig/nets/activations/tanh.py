"""Hyperbolic tangent.

Does: squashes every unit into (-1, 1), centred on 0.
Helps: small networks with inputs scaled to [-1, 1].
Misleads: saturates at both ends.
Source: LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", section 4.4.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from liebig.nets.activations.activation import Activation, Kept


class Tanh(Activation):
    keeps: ClassVar[Kept] = Kept.LEAVING
    kind: Literal["tanh"] = "tanh"

    def __call__(self, entering: Tensor) -> Tensor:
        return torch.tanh(entering)

    def applied_(self, entering: Tensor) -> Tensor:
        return torch.tanh_(entering)

    def backward_(self, gradient: Tensor, kept: Tensor) -> Tensor:
        torch.ops.aten.tanh_backward.grad_input(gradient, kept, grad_input=gradient)
        return gradient
