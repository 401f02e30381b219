"""Gradient descent with Nesterov's momentum.

Does: like momentum, but steps along the gradient plus the faded sum that already holds it: a look one step ahead.
Helps: where momentum helps, a little steadier at the same rate.
Misleads: the effective rate is rate / (1 - momentum), as with plain momentum.
Source: Nesterov 1983, in the form of Sutskever et al. 2013; equals torch.optim.SGD with nesterov.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from liebig.stack.tree import scalars
from liebig.techniques.optimizers.decay import Decay, decay_of
from liebig.techniques.optimizers.fields import LearningRate, Momentum, WeightDecay
from liebig.techniques.script import Script, ScriptGround, torch_optimizer
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


class Nesterov(OptimizerSettings):
    """Settings of Nesterov's momentum."""

    kind: Literal["nesterov"] = "nesterov"
    learning_rate: LearningRate = 0.1
    weight_decay: WeightDecay = 0.0
    momentum: Momentum = 0.9

    def as_script(self, ground: ScriptGround) -> Script:
        return torch_optimizer(
            "SGD", self.learning_rate, self.weight_decay, ground, {"momentum": self.momentum, "nesterov": True}
        )

    @classmethod
    def stage(cls, records: Sequence[Nesterov], ground: Ground) -> NesterovStage:  # type: ignore[override]  # its own records
        return NesterovStage(scalars(records, "momentum", ground.device), decay_of(records, ground))


@dataclass(frozen=True, slots=True, eq=False)
class NesterovStage(OptimizerStage):
    """K descents with momentum [K]; the state is the faded sum of gradients [K, n]."""

    momentum: Tensor
    decay: Decay

    def start(self, weights: Tensor) -> Tensor:
        return torch.zeros_like(weights)

    def step(self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Tensor, step: int) -> Tensor:
        self.decay.couple(gradients, weights)
        state.mul_(self.momentum[:, None]).add_(gradients)
        gradients.addcmul_(state, self.momentum[:, None])
        weights.addcmul_(gradients, rates[:, None], value=-1.0)
        return state
