"""What an activation promises: a value for each entry, and the gradient written out for the fused layers."""

from __future__ import annotations

from abc import abstractmethod
from enum import Enum
from typing import ClassVar

from torch import Tensor

from liebig.core.settings import Settings


class Kept(Enum):
    """What the gradient of an activation is computed from."""

    ENTERING = "what enters"
    LEAVING = "what leaves"
    SIGN = "the sign of what leaves, so that what leaves may be multiplied by a factor that is not negative"


class Activation(Settings):
    """The settings of an activation. All methods work on tensors of any shape, entry by entry."""

    keeps: ClassVar[Kept] = Kept.ENTERING

    @abstractmethod
    def __call__(self, entering: Tensor) -> Tensor:
        """What leaves the activation."""

    def applied_(self, entering: Tensor) -> Tensor:
        """The same, in the memory of `entering` where the gradient is not computed from that."""
        return self(entering)

    @abstractmethod
    def backward_(self, gradient: Tensor, kept: Tensor) -> Tensor:
        """The gradient of what enters, from that of what leaves, in the memory of the latter. `kept` is what `keeps` says."""
