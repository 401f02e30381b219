"""Adam: steps scaled by the running mean and spread of each gradient.

Does: divides the running mean of the gradient by the root of the running mean of its square. Weight decay is coupled: it
    is added to the gradient, on weights and embeddings only.
Helps: works with little tuning; the textbook's choice.
Misleads: coupled decay is divided by the gradient's spread, so that weights with large gradients hardly decay: AdamW.
Source: Kingma & Ba 2015, arXiv:1412.6980, algorithm 1; equals torch.optim.Adam.
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


class Adam(OptimizerSettings):
    """Settings of Adam."""

    kind: Literal["adam"] = "adam"
    learning_rate: LearningRate = 1e-3
    weight_decay: WeightDecay = 0.0
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    epsilon: Epsilon = EPSILON

    def as_script(self, ground: ScriptGround) -> Script:
        settings = {"betas": (self.beta1, self.beta2), "eps": self.epsilon}
        return torch_optimizer("Adam", self.learning_rate, self.weight_decay, ground, settings)

    @classmethod
    def stage(cls, records: Sequence[Adam], ground: Ground) -> AdamStage:  # type: ignore[override]  # its own records
        first = records[0]
        return AdamStage(first.beta1, first.beta2, first.epsilon, decay_of(records, ground))


@dataclass(frozen=True, slots=True, eq=False)
class AdamStage(OptimizerStage):
    """K Adam optimizers."""

    beta1: float
    beta2: float
    epsilon: float
    decay: Decay

    def start(self, weights: Tensor) -> Moments:
        return no_moments(weights)

    def step(self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Moments, step: int) -> Moments:
        self.decay.couple(gradients, weights)
        adam_step(weights, state, gradients, rates, step, beta1=self.beta1, beta2=self.beta2, epsilon=self.epsilon)
        return state
