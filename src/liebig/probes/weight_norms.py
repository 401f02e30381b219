"""Weight norms: whether the weights grow, or shrink away under a penalty.

Measures: norm of each weight matrix at every look.
Source: Krogh & Hertz 1992, "A simple weight decay can improve generalization".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from liebig.core.evidence import WeightNorms
from liebig.probes.look import Look
from liebig.probes.probe import Probe, Reading, matrices, whole_norms


@dataclass(frozen=True, slots=True)
class NormProbe(Probe):
    """Reads [K, L] norms."""

    def names(self, look: Look) -> tuple[str, ...]:
        return tuple(weight.name for weight in matrices(look))

    def read(self, look: Look) -> Tensor | None:
        weights = matrices(look)
        return whole_norms([weight.value for weight in weights], weights) if weights else None

    def measurement(self, readings: Sequence[Reading]) -> WeightNorms:
        layers = readings[0].names
        whole = [reading for reading in readings if reading.names == layers]
        return WeightNorms(
            steps=tuple(reading.step for reading in whole),
            layers=layers,
            norms=tuple(tuple(reading.values.tolist()) for reading in whole),
        )
