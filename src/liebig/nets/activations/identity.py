"""No activation.

Does: passes every value as it is.
Helps: the network is then a linear model: a yardstick.
Misleads: layers without an activation between them are one layer.
Source: none needed.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from liebig.nets.activations.activation import Activation, Kept


class Identity(Activation):
    keeps: ClassVar[Kept] = Kept.SIGN
    kind: Literal["identity"] = "identity"

    def __call__(self, entering: Tensor) -> Tensor:
        return entering

    def backward_(self, gradient: Tensor, kept: Tensor) -> Tensor:
        return gradient
