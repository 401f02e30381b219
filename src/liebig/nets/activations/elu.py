"""Exponential linear unit.

Does: passes what is positive, bends smoothly to -1 below.
Helps: keeps the mean of units near 0; no unit dies for good.
Misleads: costs an exponential.
Source: Clevert, Unterthiner & Hochreiter 2016, arXiv:1511.07289.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.nets.activations.activation import Activation


class ELU(Activation):
    kind: Literal["elu"] = "elu"

    def __call__(self, before: Tensor) -> Tensor:
        return torch.nn.functional.elu(before)

    def backward(self, gradient: Tensor, before: Tensor, after: Tensor) -> Tensor:
        entered: Tensor = torch.ops.aten.elu_backward(gradient, 1.0, 1.0, 1.0, False, before)
        return entered
