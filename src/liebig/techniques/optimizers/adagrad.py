"""Adagrad.

Does: divides the gradient of each weight by the root of the sum of all its squares so far.
Helps: rare features: weights that seldom get a gradient keep a large step.
Misleads: the sum only grows, so the step shrinks for ever; long runs stop learning.
Source: Duchi, Hazan & Singer 2011, JMLR 12; torch.optim.Adagrad.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from liebig.stack.flat import spans
from liebig.stack.tree import scalars
from liebig.techniques.optimizers.adaptive import Decay, Epsilon, Rate, add_decay, apply
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


@dataclass(frozen=True, slots=True, eq=False)
class AdagradStage(OptimizerStage):
    decay: Tensor  # [K]
    spans: tuple[slice, ...]
    epsilon: float

    def start(self, weights: Tensor) -> Mapping[str, Tensor]:
        return {"total": torch.zeros_like(weights)}

    def step(
        self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Mapping[str, Tensor], step: int
    ) -> Mapping[str, Tensor]:
        add_decay(gradients, weights, self.decay, self.spans)
        total = state["total"].addcmul_(gradients, gradients)
        apply(weights, gradients.div_(total.sqrt().add_(self.epsilon)), -rates)
        return state


class Adagrad(OptimizerSettings):
    """Adagrad with torch's defaults."""

    kind: Literal["adagrad"] = "adagrad"
    learning_rate: Rate = 0.01
    weight_decay: Decay = 0.0
    epsilon: Epsilon = 1e-10

    @classmethod
    def stage(cls, records: Sequence[OptimizerSettings], ground: Ground) -> OptimizerStage:
        first = records[0]
        assert isinstance(first, cls)
        return AdagradStage(scalars(records, "weight_decay", ground.device), spans(ground.specs), first.epsilon)
