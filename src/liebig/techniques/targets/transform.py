"""What every transformation of a numeric target promises. Class targets pass none of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from liebig.core.arrays import Reals
from liebig.core.settings import Settings


@dataclass(frozen=True, slots=True)
class WrittenTarget:
    """A transformation in plain PyTorch: lines that fit names on the float64 tensor ``targets``, what becomes of ``y``, and what
    turns ``answers`` back."""

    fit: tuple[str, ...]
    to_model: str
    from_model: str


class TargetTransform(Settings):
    """The settings of a target transformation."""

    @abstractmethod
    def fit(self, target: Reals) -> Mapping[str, float]:
        """What the training rows' target [n] fits, by name."""

    @abstractmethod
    def to_model(self, target: Reals, fitted: Mapping[str, float]) -> Reals:
        """The target as the network learns it, [n]."""

    @abstractmethod
    def from_model(self, answers: Reals, fitted: Mapping[str, float]) -> Reals:
        """The network's answers [n] in the target's own unit."""

    def as_script(self) -> WrittenTarget | None:
        """The same in plain PyTorch; None where the target stays as it is."""
        return None


def spread_of(target: Reals) -> float:
    """Standard deviation, or 1 where the target does not vary."""
    spread = float(target.std())
    return spread if spread > 0.0 else 1.0
