"""Stochastic gradient descent.

Does: steps against the gradient, times the rate. Weight decay is coupled: added to the gradient.
Helps: a plain yardstick; large data with a tuned, decaying rate.
Misleads: one rate for all weights: badly scaled inputs or deep networks stall or diverge.
Source: Robbins & Monro 1951; equals torch.optim.SGD.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from liebig.techniques.optimizers.decay import Decay, decay_of
from liebig.techniques.optimizers.fields import LearningRate, WeightDecay
from liebig.techniques.script import Script, ScriptGround, torch_optimizer
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


class SGD(OptimizerSettings):
    """Settings of stochastic gradient descent."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: LearningRate = 0.1
    weight_decay: WeightDecay = 0.0

    def as_script(self, ground: ScriptGround) -> Script:
        return torch_optimizer("SGD", self.learning_rate, self.weight_decay, ground, {})

    @classmethod
    def stage(cls, records: Sequence[SGD], ground: Ground) -> SGDStage:  # type: ignore[override]  # its own records
        return SGDStage(decay_of(records, ground))


@dataclass(frozen=True, slots=True, eq=False)
class SGDStage(OptimizerStage):
    """K gradient descents; nothing is remembered."""

    decay: Decay

    def start(self, weights: Tensor) -> tuple[()]:
        return ()

    def step(self, weights: Tensor, gradients: Tensor, rates: Tensor, state: tuple[()], step: int) -> tuple[()]:
        self.decay.couple(gradients, weights)
        weights.addcmul_(gradients, rates[:, None], value=-1.0)
        return state
