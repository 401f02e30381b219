"""AdamW: Adam with decoupled weight decay.

Does: scales each weight's step by the running mean and spread of its gradient; shrinks weights by rate x decay apart
    from that (decoupled), biases and normalisations excepted.
Helps: nearly everywhere; the default for tables, with a rate of 3e-3 there.
Misleads: below a decay of 0.1 the decay is hardly seen in short trainings: rate x decay x steps is what counts.
Source: Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2; equals torch.optim.AdamW.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from liebig.techniques.optimizers.decay import Decay, decay_of
from liebig.techniques.optimizers.fields import EPSILON, Beta, Epsilon, LearningRate, WeightDecay
from liebig.techniques.optimizers.moments import Moments, adam_step, no_moments
from liebig.techniques.script import Script, ScriptGround, torch_optimizer
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


class AdamW(OptimizerSettings):
    """Settings of AdamW."""

    kind: Literal["adamw"] = "adamw"
    learning_rate: LearningRate = 3e-3
    weight_decay: WeightDecay = 0.01
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    epsilon: Epsilon = EPSILON

    def as_script(self, ground: ScriptGround) -> Script:
        settings = {"betas": (self.beta1, self.beta2), "eps": self.epsilon}
        return torch_optimizer("AdamW", self.learning_rate, self.weight_decay, ground, settings)

    @classmethod
    def stage(cls, records: Sequence[AdamW], ground: Ground) -> AdamWStage:  # type: ignore[override]  # its own records
        first = records[0]
        return AdamWStage(first.beta1, first.beta2, first.epsilon, decay_of(records, ground))


@dataclass(frozen=True, slots=True, eq=False)
class AdamWStage(OptimizerStage):
    """K AdamW optimizers."""

    beta1: float
    beta2: float
    epsilon: float
    decay: Decay

    def start(self, weights: Tensor) -> Moments:
        return no_moments(weights)

    def step(self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Moments, step: int) -> Moments:
        self.decay.shrink(weights, rates)
        adam_step(weights, state, gradients, rates, step, beta1=self.beta1, beta2=self.beta2, epsilon=self.epsilon)
        return state
