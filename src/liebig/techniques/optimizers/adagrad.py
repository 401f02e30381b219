"""Adagrad.

Does: divides each weight's step by the root of the sum of all its squared gradients so far. Weight decay is coupled.
Helps: sparse inputs, where rare features then take larger steps.
Misleads: the sum never forgets, so that the rate falls to nothing in long trainings.
Source: Duchi et al. 2011; equals torch.optim.Adagrad.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from liebig.techniques.optimizers.decay import Decay, decay_of
from liebig.techniques.optimizers.fields import Epsilon, LearningRate, WeightDecay
from liebig.techniques.optimizers.squares import Squares, no_squares
from liebig.techniques.script import Script, ScriptGround, torch_optimizer
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


class Adagrad(OptimizerSettings):
    """Settings of Adagrad."""

    kind: Literal["adagrad"] = "adagrad"
    learning_rate: LearningRate = 1e-2
    weight_decay: WeightDecay = 0.0
    epsilon: Epsilon = 1e-10

    def as_script(self, ground: ScriptGround) -> Script:
        return torch_optimizer("Adagrad", self.learning_rate, self.weight_decay, ground, {"eps": self.epsilon})

    @classmethod
    def stage(cls, records: Sequence[Adagrad], ground: Ground) -> AdagradStage:  # type: ignore[override]  # its own records
        return AdagradStage(records[0].epsilon, decay_of(records, ground))


@dataclass(frozen=True, slots=True, eq=False)
class AdagradStage(OptimizerStage):
    """K Adagrads; the state is the sum of squared gradients."""

    epsilon: float
    decay: Decay

    def start(self, weights: Tensor) -> Squares:
        return no_squares(weights)

    def step(self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Squares, step: int) -> Squares:
        self.decay.couple(gradients, weights)
        state.squares.addcmul_(gradients, gradients)
        torch.sqrt(state.squares, out=state.scratch).add_(self.epsilon)
        weights.addcmul_(gradients.div_(state.scratch), rates[:, None], value=-1.0)
        return state
