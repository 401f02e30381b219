"""Schedule-free AdamW.

Does: steps with a sequence z by AdamW, averages it into x, and takes gradients between the two, at
    y = (1 - beta1) z + beta1 x; x is what is evaluated. Weight decay acts at y.
Helps: takes the place of a decaying schedule when the number of steps is not known beforehand.
Misleads: with a schedule, or another average on top, weights are averaged twice; both are refused. Statistics of a batch
    normalisation are those of y.
Source: Defazio et al. 2024, arXiv:2405.15682, algorithm 1; weights of the average by the square of the rate, as its code has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.techniques.optimizers.decay import Decay, decay_of
from liebig.techniques.optimizers.fields import EPSILON, Beta, Epsilon, LearningRate, WeightDecay
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


class ScheduleFreeAdamW(OptimizerSettings):
    """Settings of schedule-free AdamW."""

    kind: Literal["schedule-free-adamw"] = "schedule-free-adamw"
    learning_rate: LearningRate = 3e-3
    weight_decay: WeightDecay = 0.01
    beta1: Annotated[float, Field(gt=0, lt=1)] = 0.9
    beta2: Beta = 0.999
    epsilon: Epsilon = EPSILON

    def conflicts(self, recipe: Recipe) -> str | None:
        if recipe.schedule.kind != "constant":
            return (
                "optimizer schedule-free-adamw takes the place of a schedule: it needs the schedule constant, "
                f"however {recipe.schedule.kind} came"
            )
        averaging = next((each.kind for each in recipe.techniques if each.claims == "averaging"), None)
        if averaging:
            return f"optimizer schedule-free-adamw averages the weights itself: technique {averaging} cannot do so, too"
        return None

    @classmethod
    def stage(cls, records: Sequence[ScheduleFreeAdamW], ground: Ground) -> ScheduleFreeStage:  # type: ignore[override]  # its own records
        first = records[0]
        return ScheduleFreeStage(first.beta1, first.beta2, first.epsilon, decay_of(records, ground))


@dataclass(frozen=True, slots=True, eq=False)
class ScheduleFreeState:
    """The fast weights z, the running mean of squares and scratch, [K, n]; the largest rate and the sum of the
    averaging weights so far, [K]."""

    fast: Tensor
    squares: Tensor
    scratch: Tensor
    largest_rate: Tensor
    total: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class ScheduleFreeStage(OptimizerStage):
    """K schedule-free AdamWs; the buffer of weights holds y."""

    beta1: float
    beta2: float
    epsilon: float
    decay: Decay

    def start(self, weights: Tensor) -> ScheduleFreeState:
        none = weights.new_zeros(len(weights))
        return ScheduleFreeState(
            weights.clone(), torch.zeros_like(weights), torch.zeros_like(weights), none, torch.zeros_like(none)
        )

    def step(
        self, weights: Tensor, gradients: Tensor, rates: Tensor, state: ScheduleFreeState, step: int
    ) -> ScheduleFreeState:
        state.squares.mul_(self.beta2).addcmul_(gradients, gradients, value=1.0 - self.beta2)
        spread = torch.div(state.squares, 1.0 - self.beta2 ** (step + 1), out=state.scratch).sqrt_().add_(self.epsilon)
        direction = gradients.div_(spread)
        self.decay.couple(direction, weights)
        largest = torch.maximum(state.largest_rate, rates)
        total = state.total + largest.square()
        share = torch.where(total > 0, largest.square() / total, 0.0)
        weights.lerp_(state.fast, share[:, None])
        weights.addcmul_(direction, (rates * (self.beta1 * (1.0 - share) - 1.0))[:, None])
        state.fast.addcmul_(direction, rates[:, None], value=-1.0)
        return ScheduleFreeState(state.fast, state.squares, state.scratch, largest, total)

    def eval_weights(self, weights: Tensor, state: ScheduleFreeState) -> Tensor:
        return torch.lerp(weights, state.fast, 1.0 - 1.0 / self.beta1)
