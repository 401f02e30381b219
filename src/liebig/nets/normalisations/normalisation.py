"""What a normalisation promises: its parameters and buffers, and one pass over [K, B, units]."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from torch import Tensor

from liebig.core.settings import Settings
from liebig.stack.specs import BufferSpec, ParameterSpec, Role

#: Weights or buffers of a network by name.
Named = Mapping[str, Tensor]


class Normalisation(Settings):
    """The settings of a normalisation. `name` is the layer's, "layers.0.norm"."""

    def parameters(self, name: str, units: int) -> tuple[ParameterSpec, ...]:
        """Scale and shift."""
        return (
            ParameterSpec(f"{name}.scale", (units,), Role.SCALE, units, units),
            ParameterSpec(f"{name}.shift", (units,), Role.SHIFT, units, units),
        )

    def buffers(self, name: str, units: int) -> tuple[BufferSpec, ...]:
        return ()

    @abstractmethod
    def __call__(self, x: Tensor, name: str, weights: Named, buffers: Named, training: bool) -> Tensor:
        """`x` [K, B, units] normalised, in its own precision; statistics are taken in float32. Buffers [K, units] are
        updated in place when training."""


def scaled(x: Tensor, name: str, weights: Named) -> Tensor:
    """`x` [K, B, units] times the learnt scale plus the learnt shift."""
    return weights[f"{name}.shift"][:, None].addcmul(x, weights[f"{name}.scale"][:, None])
