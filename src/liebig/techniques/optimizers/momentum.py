"""Gradient descent with momentum.

Does: steps along a sum of past gradients that fades by `momentum` each step. Weight decay is coupled.
Helps: long narrow valleys; images with a tuned, decaying rate.
Misleads: the effective rate is rate / (1 - momentum): raise one, lower the other. Diverged on regressions (measured, 5 of 5).
Source: Polyak 1964; Sutskever et al. 2013; equals torch.optim.SGD with momentum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from liebig.stack.tree import scalars
from liebig.techniques.optimizers.decay import Decay, decay_of
from liebig.techniques.optimizers.fields import LearningRate, WeightDecay
from liebig.techniques.optimizers.fields import Momentum as Share
from liebig.techniques.script import Script, ScriptGround, torch_optimizer
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


class Momentum(OptimizerSettings):
    """Settings of gradient descent with momentum."""

    kind: Literal["momentum"] = "momentum"
    learning_rate: LearningRate = 0.1
    weight_decay: WeightDecay = 0.0
    momentum: Share = 0.9

    def as_script(self, ground: ScriptGround) -> Script:
        return torch_optimizer("SGD", self.learning_rate, self.weight_decay, ground, {"momentum": self.momentum})

    @classmethod
    def stage(cls, records: Sequence[Momentum], ground: Ground) -> MomentumStage:  # type: ignore[override]  # its own records
        return MomentumStage(scalars(records, "momentum", ground.device), decay_of(records, ground))


@dataclass(frozen=True, slots=True, eq=False)
class MomentumStage(OptimizerStage):
    """K descents with momentum [K]; the state is the faded sum of gradients [K, n]."""

    momentum: Tensor
    decay: Decay

    def start(self, weights: Tensor) -> Tensor:
        return torch.zeros_like(weights)

    def step(self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Tensor, step: int) -> Tensor:
        self.decay.couple(gradients, weights)
        state.mul_(self.momentum[:, None]).add_(gradients)
        weights.addcmul_(state, rates[:, None], value=-1.0)
        return state
