"""NAdam: Adam with Nesterov's momentum.

Does: Adam, whose running mean of the gradient is looked up one step ahead; `momentum_decay` says how fast its momentum
    grows to `beta1`. Weight decay is decoupled, as in AdamW.
Helps: where Adam helps, a little faster at the start.
Misleads: the gain over Adam is mostly smaller than the noise of the seed.
Source: Dozat 2016; equals torch.optim.NAdam with decoupled_weight_decay.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.techniques.optimizers.decay import Decay, decay_of
from liebig.techniques.optimizers.fields import EPSILON, Beta, Epsilon, LearningRate, WeightDecay
from liebig.techniques.optimizers.moments import Moments, no_moments
from liebig.techniques.script import Script, ScriptGround, torch_optimizer
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


class NAdam(OptimizerSettings):
    """Settings of NAdam."""

    kind: Literal["nadam"] = "nadam"
    learning_rate: LearningRate = 2e-3
    weight_decay: WeightDecay = 0.0
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    epsilon: Epsilon = EPSILON
    momentum_decay: Annotated[float, Field(ge=0, le=1)] = 4e-3

    def as_script(self, ground: ScriptGround) -> Script:
        settings = {
            "betas": (self.beta1, self.beta2), "eps": self.epsilon, "momentum_decay": self.momentum_decay,
            "decoupled_weight_decay": True,
        }  # fmt: skip
        return torch_optimizer("NAdam", self.learning_rate, self.weight_decay, ground, settings)

    @classmethod
    def stage(cls, records: Sequence[NAdam], ground: Ground) -> NAdamStage:  # type: ignore[override]  # its own records
        first = records[0]
        decay = decay_of(records, ground)
        return NAdamStage(first.beta1, first.beta2, first.epsilon, first.momentum_decay, decay)


@dataclass(frozen=True, slots=True, eq=False)
class NAdamState:
    """The moments, and the product of the momenta so far."""

    moments: Moments
    product: float


@dataclass(frozen=True, slots=True, eq=False)
class NAdamStage(OptimizerStage):
    """K NAdams."""

    beta1: float
    beta2: float
    epsilon: float
    momentum_decay: float
    decay: Decay

    def start(self, weights: Tensor) -> NAdamState:
        return NAdamState(no_moments(weights), 1.0)

    def _momentum(self, count: int) -> float:
        return self.beta1 * (1.0 - 0.5 * math.pow(0.96, count * self.momentum_decay))

    def step(self, weights: Tensor, gradients: Tensor, rates: Tensor, state: NAdamState, step: int) -> NAdamState:
        now, ahead = self._momentum(step + 1), self._momentum(step + 2)
        product = state.product * now
        moments = state.moments
        moments.first.mul_(self.beta1).add_(gradients, alpha=1.0 - self.beta1)
        moments.second.mul_(self.beta2).addcmul_(gradients, gradients, value=1.0 - self.beta2)
        spread = torch.div(moments.second, 1.0 - self.beta2 ** (step + 1), out=moments.update)
        spread.sqrt_().add_(self.epsilon)
        gradients.mul_((1.0 - now) / (1.0 - product)).add_(moments.first, alpha=ahead / (1.0 - product * ahead))
        self.decay.shrink(weights, rates)
        weights.addcmul_(gradients.div_(spread), rates[:, None], value=-1.0)
        return NAdamState(moments, product)
