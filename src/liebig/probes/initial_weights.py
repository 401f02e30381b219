"""The weights before step 0: their size, units that start alike, and how many directions the first gradient has.

Measures: standard deviation; that times the square root of the inputs (1 for LeCun, 1.4 for He); units whose incoming
weights equal another's; numerical rank of the first gradient over the largest possible, from a sketch of 16 random
combinations of its columns. Units that start alike get the same gradient for ever: symmetry is never broken.
Source: Glorot & Bengio 2010; He et al. 2015, arXiv:1502.01852; Halko et al. 2011, arXiv:0909.4061 (the sketch).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from liebig.core.evidence import InitialWeights
from liebig.probes.look import Look, SeenWeight
from liebig.probes.probe import Probe, Reading, matrices

_SKETCH = 16
_SAME = 1e-6
_STATISTICS = 4  # spread, gain, duplicates, the largest possible rank (NaN without a gradient)
_PER_LAYER = _STATISTICS + _SKETCH * _SKETCH


@dataclass(frozen=True, slots=True)
class WeightProbe(Probe):
    """Reads, for each matrix, four statistics and the Gram matrix of the sketched gradient, up to the step `gradient_at` at
    which the loop shows its first."""

    gradient_at: int = 1

    def names(self, look: Look) -> tuple[str, ...]:
        return tuple(weight.name for weight in matrices(look))

    def read(self, look: Look) -> Tensor | None:
        weights = matrices(look)
        if look.step > self.gradient_at or not weights:
            return None
        batch = look.losses.flatten(1).shape[1] if look.losses is not None else _SKETCH
        return torch.cat([_of(weight, batch) for weight in weights], dim=1)

    def measurement(self, readings: Sequence[Reading]) -> InitialWeights | None:
        first = readings[0]
        if first.step != 0:
            return None
        parts = [reading.values.reshape(-1, _PER_LAYER) for reading in readings if reading.names == first.names]
        with_gradient = next((part for part in parts if not np.isnan(part[:, 3]).any()), parts[0])
        return InitialWeights(
            layers=first.names,
            spread=tuple(parts[0][:, 0].tolist()),
            gain=tuple(parts[0][:, 1].tolist()),
            duplicate_units=tuple(parts[0][:, 2].tolist()),
            gradient_rank=tuple(_rank(row) for row in with_gradient),
        )


def _of(weight: SeenWeight, batch: int) -> Tensor:
    """[K, _PER_LAYER], float64 where the device has it: the Gram matrix squares the range of the singular values."""
    value = _inputs_by_outputs(weight.value, weight.outputs_first)
    members, inputs, outputs = value.shape
    wide = torch.float32 if value.device.type == "mps" else torch.float64
    spread = value.flatten(1).std(dim=1, correction=0)
    statistics = torch.stack([spread, spread * inputs**0.5, _duplicates(value)], dim=1).to(wide)
    largest = torch.full((members, 1), float("nan"), dtype=wide, device=value.device)
    gram = torch.zeros(members, _SKETCH * _SKETCH, dtype=wide, device=value.device)
    if weight.gradient is not None:
        gradient = _inputs_by_outputs(weight.gradient, weight.outputs_first)
        largest = largest.fill_(float(min(_SKETCH, inputs, outputs, batch)))
        # Scaled by its largest entry first: a vanished gradient still has directions, and float32 has its least number.
        scale = gradient.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-37)
        sketch = (gradient / scale).to(wide) @ _directions(outputs, _SKETCH, value.device).to(wide)
        gram = (sketch.transpose(1, 2) @ sketch).flatten(1)
    return torch.cat([statistics, largest, gram], dim=1)


def _inputs_by_outputs(value: Tensor, outputs_first: bool) -> Tensor:
    """[K, inputs, outputs] float32, kernels of a convolution counted as inputs."""
    if outputs_first:
        return value.flatten(2).transpose(1, 2).float()
    return value.flatten(1, -2).float()


def _directions(rows: int, columns: int, device: torch.device) -> Tensor:
    """Fixed pseudo-random directions [rows, columns], the same for every member."""
    angle = torch.arange(rows * columns, dtype=torch.float32, device=device).reshape(rows, columns)
    return torch.frac(torch.sin(angle * 12.9898 + 78.233) * 43758.547) * 2


def _duplicates(value: Tensor) -> Tensor:
    """Share of the units [K] whose incoming weights equal those of another unit. [K, inputs, outputs] in."""
    members, inputs, outputs = value.shape
    if outputs == 1:
        return torch.zeros(members, device=value.device)
    direction = _directions(inputs, 1, value.device)[:, 0]
    ordered = (value * direction[None, :, None]).sum(dim=1).sort(dim=1).values
    scale = value.abs().amax(dim=(1, 2)) * inputs**0.5
    same = ordered.diff(dim=1).abs() <= _SAME * scale[:, None]
    edge = torch.zeros(members, 1, dtype=torch.bool, device=value.device)
    return (torch.cat([same, edge], 1) | torch.cat([edge, same], 1)).float().mean(dim=1)


def _rank(row: NDArray[np.float64]) -> float:
    """Numerical rank over the largest possible; NaN where no gradient was seen."""
    largest, gram = row[3], row[_STATISTICS:].reshape(_SKETCH, _SKETCH)
    if not np.isfinite(largest) or not np.isfinite(gram).all():
        return float("nan")
    values = np.linalg.eigvalsh(gram)
    if values[-1] <= 0:
        return 0.0
    return min(1.0, float((values > 1e-9 * values[-1]).sum()) / float(largest))
