"""RMSprop.

Does: divides the gradient of each weight by the root of a running mean of its square.
Helps: as Adam without momentum: gradients of very different sizes.
Misleads: its first steps are large, since the running mean starts at zero and is not corrected.
Source: Tieleman & Hinton 2012, lecture 6.5; torch.optim.RMSprop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from liebig.stack.flat import spans
from liebig.stack.tree import scalars
from liebig.techniques.optimizers.adaptive import Decay, Epsilon, Rate, Share, add_decay, apply
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


@dataclass(frozen=True, slots=True, eq=False)
class RMSpropStage(OptimizerStage):
    decay: Tensor  # [K]
    spans: tuple[slice, ...]
    smoothing: float
    epsilon: float

    def start(self, weights: Tensor) -> Mapping[str, Tensor]:
        return {"square": torch.zeros_like(weights)}

    def step(
        self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Mapping[str, Tensor], step: int
    ) -> Mapping[str, Tensor]:
        add_decay(gradients, weights, self.decay, self.spans)
        square = state["square"].mul_(self.smoothing).addcmul_(gradients, gradients, value=1.0 - self.smoothing)
        apply(weights, gradients.div_(square.sqrt().add_(self.epsilon)), -rates)
        return state


class RMSprop(OptimizerSettings):
    """RMSprop with torch's defaults; `smoothing` is what torch calls alpha."""

    kind: Literal["rmsprop"] = "rmsprop"
    learning_rate: Rate = 1e-3
    weight_decay: Decay = 0.0
    smoothing: Share = 0.99
    epsilon: Epsilon = 1e-8

    @classmethod
    def stage(cls, records: Sequence[OptimizerSettings], ground: Ground) -> OptimizerStage:
        first = records[0]
        assert isinstance(first, cls)
        decay = scalars(records, "weight_decay", ground.device)
        return RMSpropStage(decay, spans(ground.specs), first.smoothing, first.epsilon)
