"""Adam with decoupled weight decay.

Does: Adam, and beside it every weight is multiplied by 1 - rate * decay in each step; biases and normalisations are not.
Helps: the default: decay then means the same for every weight.
Misleads: what counts is rate * decay * steps; below 0.1 it is invisible on short runs.
Source: Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2.
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
    apply,
    shrink,
)
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


@dataclass(frozen=True, slots=True, eq=False)
class AdamWStage(OptimizerStage):
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
            shrink(weights, rates, self.decay, self.spans)
        apply(weights, adam_update(gradients, state, step, self.beta1, self.beta2, self.epsilon), rates)
        return state


class AdamW(OptimizerSettings):
    """AdamW with torch's defaults."""

    kind: Literal["adamw"] = "adamw"
    learning_rate: Rate = 1e-3
    weight_decay: Decay = 0.01
    beta1: Share = 0.9
    beta2: Share = 0.999
    epsilon: Epsilon = 1e-8

    @classmethod
    def stage(cls, records: Sequence[OptimizerSettings], ground: Ground) -> OptimizerStage:
        first = records[0]
        assert isinstance(first, cls)
        decay = scalars(records, "weight_decay", ground.device)
        return AdamWStage(decay, bool(decay.any()), spans(ground.specs), first.beta1, first.beta2, first.epsilon)
