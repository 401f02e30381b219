"""What remedies ask of a network, whether it is Liebig's own or the user's.

A change that the network cannot take is None, as all edits of a recipe.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final, Literal

from liebig.core.recipe import Recipe

Scheme = Literal["he", "xavier", "lecun"]
Bend = Literal["relu", "leaky-relu", "gelu"]
#: Bends that squash from both sides, and the one that keeps its own scale.
SQUASHING: Final = frozenset({"sigmoid", "tanh", "hardtanh", "hardsigmoid", "softsign"})


class Network(ABC):
    """What a network has, and what the recipe would be with one thing of it changed (None where that cannot be)."""

    recipe: Recipe

    @property
    @abstractmethod
    def activation(self) -> str:
        """The kind of the activation between its layers, the commonest; "" for none."""

    @property
    @abstractmethod
    def depth(self) -> int:
        """Hidden layers."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Units or channels of the widest hidden layer."""

    @property
    @abstractmethod
    def is_normalised(self) -> bool:
        """True when a normalisation stands between its layers."""

    @property
    @abstractmethod
    def has_batch_statistics(self) -> bool: ...

    @property
    @abstractmethod
    def dropout(self) -> float:
        """The share that is dropped between its layers."""

    @abstractmethod
    def normalised(self, kind: Literal["batch", "layer"]) -> Recipe | None:
        """With a normalisation behind its hidden layers; a table's network exchanges the one that it has."""

    @abstractmethod
    def without_batch_statistics(self) -> Recipe | None:
        """With another normalisation in place of batch normalisation."""

    @abstractmethod
    def bent_by(self, kind: Bend) -> Recipe | None:
        """With another activation between its layers."""

    @abstractmethod
    def bent_where_straight(self) -> Recipe | None:
        """With an activation behind the layers that have none."""

    @abstractmethod
    def dropping(self, share: float) -> Recipe | None:
        """With another dropout rate between its layers."""

    @abstractmethod
    def resized(self, factor: float) -> Recipe | None:
        """With hidden layers of another width."""

    @abstractmethod
    def deepened(self) -> Recipe | None:
        """With one hidden layer more."""

    @abstractmethod
    def shortened(self) -> Recipe | None:
        """With half of its hidden layers."""

    @abstractmethod
    def connected(self) -> Recipe | None:
        """With residual connections, and a normalisation where it has none."""

    @abstractmethod
    def drawn_by(self, scheme: Scheme) -> Recipe | None:
        """With weights drawn by another scheme."""

    @abstractmethod
    def calibrated(self) -> Recipe | None:
        """With weights scaled to unit variance on a first batch."""

    @property
    def suiting_scheme(self) -> Scheme:
        """The initialisation that suits its activation."""
        if self.activation in SQUASHING:
            return "xavier"
        return "lecun" if self.activation == "selu" else "he"
