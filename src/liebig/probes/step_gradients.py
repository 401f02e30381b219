"""Gradients by time step: how much the loss depends on what enters at each place of a sequence.

Measures: root mean square of the gradient with respect to the inputs, in sixteen equal parts of each sequence.
Source: Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from liebig.core.evidence import StepGradients
from liebig.probes.look import Look
from liebig.probes.probe import Probe, Reading


@dataclass(frozen=True, slots=True)
class StepGradientProbe(Probe):
    """Reads what the look shows, [K, places]."""

    def names(self, look: Look) -> tuple[str, ...]:
        return ()

    def read(self, look: Look) -> Tensor | None:
        return look.by_step

    def measurement(self, readings: Sequence[Reading]) -> StepGradients:
        return StepGradients(
            tuple(reading.step for reading in readings), len(readings[0].values),
            tuple(tuple(float(each) for each in reading.values) for reading in readings),
        )  # fmt: skip
