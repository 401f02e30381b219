"""The user's own optimizer.

Does: steps with the torch optimizer that the user's function makes, one for each member, on the very parameters; the
    schedule multiplies the rate of each of its groups.
Helps: several groups of parameters, or an optimizer that no record of ours equals.
Misleads: members are stepped one by one; only the rate can be changed by a remedy.
Source: the user.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn, optim

from liebig.techniques.optimizers.fields import LearningRate
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


class UsersOptimizer(OptimizerSettings):
    """`name` says which class it was; `learning_rate` is the largest of its groups'."""

    kind: Literal["users-optimizer"] = "users-optimizer"
    name: str = ""
    learning_rate: LearningRate = 1e-3

    @classmethod
    def stage(cls, records: Sequence[UsersOptimizer], ground: Ground) -> OptimizerStage:  # type: ignore[override]  # its own records
        own = ground.own
        if own is None or own.optimizer is None or own.network is None or len(records) != 1:
            raise ValueError("the user's own optimizer steps one network of the user's at a time")
        return UsersOptimizerStage(own.optimizer, own.network)


@dataclass(frozen=True, slots=True, eq=False)
class UsersOptimizerStage(OptimizerStage):
    """One optimizer; its network's parameters are views of the buffer."""

    make: Callable[[nn.Module], optim.Optimizer]
    network: nn.Module

    def start(self, weights: Tensor) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = self.make(self.network)
        return _Own(made, [float(group["lr"]) for group in made.param_groups])

    def step(self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Any, step: int) -> Any:
        start, largest = 0, max(state.rates)
        for each in self.network.parameters():
            if each.requires_grad:
                each.grad = gradients[0, start : start + each.numel()].view_as(each)
                start += each.numel()
        rate = float(rates[0])
        for group, first in zip(state.optimizer.param_groups, state.rates, strict=True):
            group["lr"] = rate * (first / largest)
        state.optimizer.step()
        for each in self.network.parameters():
            each.grad = None
        return state


class _Own:
    """An optimizer and the rates that its groups began with; no tensor of it leads with K."""

    def __init__(self, optimizer: optim.Optimizer, rates: list[float]) -> None:
        self.optimizer, self.rates = optimizer, rates
