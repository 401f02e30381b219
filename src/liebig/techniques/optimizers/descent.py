"""What gradient descent with and without momentum shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from liebig.stack.flat import spans
from liebig.stack.tree import scalars
from liebig.techniques.optimizers.adaptive import add_decay, apply
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


@dataclass(frozen=True, slots=True, eq=False)
class DescentStage(OptimizerStage):
    """``v = momentum * v + g``; the step is ``-rate * v``, or ``-rate * (g + momentum * v)`` with `nesterov`."""

    decay: Tensor  # [K]
    momentum: Tensor  # [K]; all zero for plain descent
    spans: tuple[slice, ...]
    remembers: bool
    nesterov: bool

    def start(self, weights: Tensor) -> Mapping[str, Tensor]:
        return {"velocity": torch.zeros_like(weights)} if self.remembers else {}

    def step(
        self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Mapping[str, Tensor], step: int
    ) -> Mapping[str, Tensor]:
        add_decay(gradients, weights, self.decay, self.spans)
        if not self.remembers:
            apply(weights, gradients, -rates)
            return state
        velocity = state["velocity"].mul_(self.momentum[:, None]).add_(gradients)
        if self.nesterov:
            gradients.addcmul_(velocity, self.momentum[:, None])
        apply(weights, gradients if self.nesterov else velocity, -rates)
        return state


def descent(
    records: Sequence[OptimizerSettings], ground: Ground, momentum: Tensor | None, nesterov: bool
) -> DescentStage:
    """The stage of K records; `momentum` [K] or None."""
    decay = scalars(records, "weight_decay", ground.device)
    remembers = momentum is not None
    kept = momentum if momentum is not None else torch.zeros_like(decay)
    return DescentStage(decay, kept, spans(ground.specs), remembers, nesterov)
