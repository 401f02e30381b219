"""Gradient norms by layer: whether the error reaches the input side, and whether it grows on the way.

Measures: norm of the gradient of each weight matrix, and the same over the square root of its entries.
Source: Glorot & Bengio 2010; Pascanu et al. 2013, arXiv:1211.5063.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from liebig.core.evidence import GradientNorms
from liebig.probes.look import Look
from liebig.probes.probe import Probe, Reading, matrices, whole_norms


@dataclass(frozen=True, slots=True)
class GradientProbe(Probe):
    """Reads the norms of L gradients, then their root mean squares: [K, 2 L]."""

    def names(self, look: Look) -> tuple[str, ...]:
        return tuple(weight.name for weight in matrices(look) if weight.gradient is not None)

    def read(self, look: Look) -> Tensor | None:
        weights = [weight for weight in matrices(look) if weight.gradient is not None]
        gradients = [weight.gradient for weight in weights if weight.gradient is not None]
        if not gradients:
            return None
        norms = whole_norms(gradients, weights)
        entries = [weight.value[0].numel() / weight.shown for weight in weights]
        sizes = torch.tensor(entries, dtype=torch.float32, device=norms.device)
        return torch.cat([norms, norms / sizes.sqrt()], dim=1)

    def measurement(self, readings: Sequence[Reading]) -> GradientNorms:
        layers = readings[0].names
        whole = [reading for reading in readings if reading.names == layers]
        return GradientNorms(
            steps=tuple(reading.step for reading in whole),
            layers=layers,
            norms=tuple(tuple(reading.values[: len(layers)].tolist()) for reading in whole),
            rms=tuple(tuple(reading.values[len(layers) :].tolist()) for reading in whole),
        )
