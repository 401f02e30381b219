"""Adam.

Does: divides a running mean of the gradient by the root of a running mean of its square, both corrected for their start;
  weight decay is added to the gradient (coupled, an L2 penalty), as torch's Adam does.
Helps: a step size that hardly depends on the scale of the gradient: works untuned on most networks.
Misleads: with coupled decay weights of large gradients are decayed less than meant; take adamw to decay.
Source: Kingma & Ba 2015, arXiv:1412.6980, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from liebig.stack.flat import spans
from liebig.stack.tree import scalars
from liebig.techniques.optimizers.adaptive import (
    Decay,
    Epsilon,
    Memory,
    Rate,
    Share,
    adam_memory,
    adam_update,
    add_decay,
    apply,
)
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


@dataclass(frozen=True, slots=True, eq=False)
class AdamStage(OptimizerStage):
    decay: Tensor  # [K]
    decays: bool
    spans: tuple[slice, ...]
    beta1: float
    beta2: float
    epsilon: float

    def start(self, weights: Tensor) -> Memory:
        return adam_memory(weights)

    def step(self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Memory, step: int) -> Memory:
        if self.decays:
            add_decay(gradients, weights, self.decay, self.spans)
        apply(weights, adam_update(gradients, state, step, self.beta1, self.beta2, self.epsilon), rates)
        return state


class Adam(OptimizerSettings):
    """Adam with torch's defaults."""

    kind: Literal["adam"] = "adam"
    learning_rate: Rate = 1e-3
    weight_decay: Decay = 0.0
    beta1: Share = 0.9
    beta2: Share = 0.999
    epsilon: Epsilon = 1e-8

    @classmethod
    def stage(cls, records: Sequence[OptimizerSettings], ground: Ground) -> OptimizerStage:
        first = records[0]
        assert isinstance(first, cls)
        decay = scalars(records, "weight_decay", ground.device)
        return AdamStage(decay, bool(decay.any()), spans(ground.specs), first.beta1, first.beta2, first.epsilon)
