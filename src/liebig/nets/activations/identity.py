"""No activation.

Does: passes every value as it is.
Helps: the network is then a linear model: a yardstick.
Misleads: layers without an activation between them are one layer.
Source: none needed.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from liebig.nets.activations.activation import Activation


class Identity(Activation):
    kind: Literal["identity"] = "identity"

    def __call__(self, before: Tensor) -> Tensor:
        return before

    def backward(self, gradient: Tensor, before: Tensor, after: Tensor) -> Tensor:
        return gradient
