"""What an activation promises: a value for each entry, and the gradient written out for the fused layers."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from liebig.core.settings import Settings


class Activation(Settings):
    """The settings of an activation. Both methods work on tensors of any shape, entry by entry."""

    @abstractmethod
    def __call__(self, before: Tensor) -> Tensor:
        """What leaves the activation."""

    @abstractmethod
    def backward(self, gradient: Tensor, before: Tensor, after: Tensor) -> Tensor:
        """The gradient of what enters, from that of what leaves, which it may overwrite."""
