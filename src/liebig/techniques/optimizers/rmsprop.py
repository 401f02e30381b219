"""RMSprop.

Does: divides each weight's step by the root of a running mean of its squared gradients. Weight decay is coupled.
Helps: recurrent networks; close to Adam elsewhere (measured: 11 ties on 17 tables).
Misleads: without a running mean of the gradient itself its steps are noisier than Adam's.
Source: Tieleman & Hinton 2012, lecture 6.5; equals torch.optim.RMSprop (beta2 is its alpha).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from liebig.techniques.optimizers.decay import Decay, decay_of
from liebig.techniques.optimizers.fields import EPSILON, Beta, Epsilon, LearningRate, WeightDecay
from liebig.techniques.optimizers.squares import Squares, no_squares
from liebig.techniques.script import Script, ScriptGround, torch_optimizer
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


class RMSprop(OptimizerSettings):
    """Settings of RMSprop."""

    kind: Literal["rmsprop"] = "rmsprop"
    learning_rate: LearningRate = 1e-3
    weight_decay: WeightDecay = 0.0
    beta2: Beta = 0.99
    epsilon: Epsilon = EPSILON

    def as_script(self, ground: ScriptGround) -> Script:
        return torch_optimizer(
            "RMSprop", self.learning_rate, self.weight_decay, ground, {"alpha": self.beta2, "eps": self.epsilon}
        )

    @classmethod
    def stage(cls, records: Sequence[RMSprop], ground: Ground) -> RMSpropStage:  # type: ignore[override]  # its own records
        return RMSpropStage(records[0].beta2, records[0].epsilon, decay_of(records, ground))


@dataclass(frozen=True, slots=True, eq=False)
class RMSpropStage(OptimizerStage):
    """K RMSprops; the state is the running mean of squared gradients."""

    beta2: float
    epsilon: float
    decay: Decay

    def start(self, weights: Tensor) -> Squares:
        return no_squares(weights)

    def step(self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Squares, step: int) -> Squares:
        self.decay.couple(gradients, weights)
        state.squares.mul_(self.beta2).addcmul_(gradients, gradients, value=1.0 - self.beta2)
        torch.sqrt(state.squares, out=state.scratch).add_(self.epsilon)
        weights.addcmul_(gradients.div_(state.scratch), rates[:, None], value=-1.0)
        return state
