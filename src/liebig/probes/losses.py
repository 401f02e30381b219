"""The loss of single steps, and how far sampling alone moves it.

Measures: mean of the batch loss and its standard error over the examples of the batch, at every look.
Source: McCandlish et al. 2018, arXiv:1812.06162, for batch noise as the yardstick of a swing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import torch
from torch import Tensor

from liebig.core.evidence import StepLosses
from liebig.probes.look import Look
from liebig.probes.probe import Probe, Reading

#: Of a number: what repeating it may seem to spread.
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class LossProbe(Probe):
    """Reads [mean, standard error, examples] of `look.losses`."""

    total_steps: int

    def names(self, look: Look) -> tuple[str, ...]:
        return ()

    def read(self, look: Look) -> Tensor | None:
        if look.losses is None:
            return None
        losses = look.losses.flatten(1).float()
        rows = look.rows or losses.shape[1]
        mean, spread = losses.mean(dim=1), losses.std(dim=1, correction=0)
        # A user's loss is one number for the whole batch, repeated for its rows: rounding is no spread.
        noise = torch.where(spread <= _ROUNDING * mean.abs(), 0.0, spread / rows**0.5)
        if losses.shape[1] == 1:
            noise = torch.full_like(noise, float("nan"))  # one number has no spread that could be known
        return torch.stack([mean, noise, torch.full_like(noise, rows)], dim=1)

    def measurement(self, readings: Sequence[Reading]) -> StepLosses:
        return StepLosses(
            steps=tuple(reading.step for reading in readings),
            loss=tuple(float(reading.values[0]) for reading in readings),
            batch_noise=tuple(float(reading.values[1]) for reading in readings),
            total_steps=self.total_steps,
            batch=int(median(reading.values[2] for reading in readings)),
        )
