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
from liebig.techniques.script import GROUPS, Script, ScriptGround
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

    def as_script(self, ground: ScriptGround) -> Script:
        decay = self.weight_decay
        everything = f'[{{"params": list(network.parameters()), "weight_decay": {decay!r}}}]'
        parameters = everything if ground.decays_everything else f"groups(network, {decay!r})"
        made = f"ScheduleFree({parameters}, {self.learning_rate!r}, {self.beta1!r}, {self.beta2!r}, {self.epsilon!r})"
        return Script(
            helpers=(_WRITTEN, *(() if ground.decays_everything else (GROUPS,))), optimizer=(f"optimizer = {made}",),
            begin=("averaged = copy.deepcopy(network)",), after_epoch=("optimizer.average(averaged, network)",),
            answers="averaged",
        )  # fmt: skip

    @classmethod
    def stage(cls, records: Sequence[ScheduleFreeAdamW], ground: Ground) -> ScheduleFreeStage:  # type: ignore[override]  # its own records
        first = records[0]
        return ScheduleFreeStage(first.beta1, first.beta2, first.epsilon, decay_of(records, ground))


_WRITTEN = '''class ScheduleFree(torch.optim.Optimizer):
    """Schedule-free AdamW: the network holds y, `fast` is z; `averaged()` gives the weights to evaluate with."""

    def __init__(self, parameters, lr, beta1, beta2, epsilon):
        super().__init__(parameters, {"lr": lr, "weight_decay": 0.0})
        self.settings, self.steps, self.largest, self.total = (beta1, beta2, epsilon), 0, 0.0, 0.0

    @torch.no_grad()
    def step(self):
        beta1, beta2, epsilon = self.settings
        rate = self.param_groups[0]["lr"]
        self.steps += 1
        self.largest = max(self.largest, rate)
        self.total += self.largest**2
        share = self.largest**2 / self.total if self.total > 0 else 0.0
        for group in self.param_groups:
            for weight in (p for p in group["params"] if p.grad is not None):
                state = self.state[weight]
                if not state:
                    state["fast"], state["squares"] = weight.clone(), torch.zeros_like(weight)
                state["squares"].mul_(beta2).addcmul_(weight.grad, weight.grad, value=1 - beta2)
                spread = (state["squares"] / (1 - beta2**self.steps)).sqrt_().add_(epsilon)
                direction = weight.grad / spread + group["weight_decay"] * weight
                weight.lerp_(state["fast"], share).add_(direction, alpha=rate * (beta1 * (1 - share) - 1))
                state["fast"].sub_(direction, alpha=rate)

    @torch.no_grad()
    def average(self, averaged, network):
        """The weights to evaluate with, put into `averaged`."""
        averaged.load_state_dict(network.state_dict())
        for mean, weight in zip(averaged.parameters(), network.parameters()):
            if self.state[weight]:
                mean.lerp_(self.state[weight]["fast"], 1 - 1 / self.settings[0])
'''


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
