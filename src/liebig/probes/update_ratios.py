"""Update ratios: how far one step moves the weights, measured by their own size.

Measures: norm of the change that one step made over norm of the weight matrix, by layer. About 1e-3 is usual.
Source: Karpathy, CS231n notes, "Ratio of weights:updates".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from liebig.core.evidence import UpdateRatios
from liebig.probes.look import Look
from liebig.probes.probe import Probe, Reading, matrices, member_norms

_LEAST_NORM = 1e-12  # weights that are all zero have no size to measure by


@dataclass(frozen=True, slots=True)
class UpdateProbe(Probe):
    """Reads the ratios of the L weights that were changed, then the learning rate (NaN where it is not shown): [K, L + 1]."""

    def names(self, look: Look) -> tuple[str, ...]:
        return tuple(weight.name for weight in matrices(look) if weight.change is not None)

    def read(self, look: Look) -> Tensor | None:
        changes = [weight.change for weight in matrices(look) if weight.change is not None]
        if not changes:
            return None
        values = [weight.value for weight in matrices(look) if weight.change is not None]
        ratios = member_norms(changes) / member_norms(values).clamp(min=_LEAST_NORM)
        if look.rates is None:
            return torch.cat([ratios, torch.full_like(ratios[:, :1], float("nan"))], dim=1)
        return torch.cat([ratios, look.rates.to(ratios)[:, None]], dim=1)

    def measurement(self, readings: Sequence[Reading]) -> UpdateRatios:
        layers = readings[0].names
        whole = [reading for reading in readings if reading.names == layers]
        rated = [bool(reading.values[-1] == reading.values[-1]) for reading in whole]
        return UpdateRatios(
            steps=tuple(reading.step for reading in whole),
            layers=layers,
            ratios=tuple(tuple(reading.values[:-1].tolist()) for reading in whole),
            rates=tuple(float(reading.values[-1]) for reading in whole) if any(rated) else (),
        )
