"""Hyperbolic tangent.

Does: squashes every unit into (-1, 1), centred on 0.
Helps: small networks with inputs scaled to [-1, 1].
Misleads: saturates at both ends.
Source: LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", section 4.4.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.nets.activations.activation import Activation


class Tanh(Activation):
    kind: Literal["tanh"] = "tanh"

    def __call__(self, before: Tensor) -> Tensor:
        return torch.tanh(before)

    def backward(self, gradient: Tensor, before: Tensor, after: Tensor) -> Tensor:
        entered: Tensor = torch.ops.aten.tanh_backward(gradient, after)
        return entered
