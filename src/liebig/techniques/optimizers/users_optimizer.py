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
from typing import Annotated, Any, Final, Literal

import torch
from pydantic import Field
from torch import Tensor, nn, optim

from liebig.techniques.optimizers.fields import LearningRate
from liebig.techniques.schedules.shapes import ALONG, along, values_in_script
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage

#: torch's own optimizers that have one operation for all parameters on a processor and on CUDA alike.
_FUSED: Final = (optim.SGD, optim.Adam, optim.AdamW)


class UsersOptimizer(OptimizerSettings):
    """`name` says which class it was; `learning_rate` is the largest of its groups'. `momenta`, where given, are the momentum (the
    first of betas) along the steps of the whole training, as the user's scheduler moves it."""

    kind: Literal["users-optimizer"] = "users-optimizer"
    name: str = ""
    learning_rate: LearningRate = 1e-3
    momenta: tuple[Annotated[float, Field(ge=0, lt=1)], ...] = ()

    def as_script(self, ground: ScriptGround) -> Script | None:
        if not ground.optimizer:
            return None
        moved = (
            "for group in optimizer.param_groups:",
            "    momentum = along(MOMENTA, step, total_steps)",
            "    group.update({'betas': (momentum, *group['betas'][1:])} if 'betas' in group else {'momentum': momentum})",
        )
        return Script(
            helpers=(values_in_script("MOMENTA", self.momenta), ALONG) if self.momenta else (),
            optimizer=(
                f"optimizer = {ground.optimizer}",
                "largest = max(group['lr'] for group in optimizer.param_groups)",
                "for group in optimizer.param_groups:",
                f"    group['lr'] *= {self.learning_rate!r} / largest",
            ),
            on_gradients=moved if self.momenta else (),
        )

    @classmethod
    def stage(cls, records: Sequence[UsersOptimizer], ground: Ground) -> OptimizerStage:  # type: ignore[override]  # its own records
        own = ground.own
        if own is None or own.optimizer is None or own.network is None or len(records) != 1:
            raise ValueError("the user's own optimizer steps one network of the user's at a time")
        return UsersOptimizerStage(own.optimizer, own.network, records[0].momenta, ground.total_steps)


@dataclass(frozen=True, slots=True, eq=False)
class UsersOptimizerStage(OptimizerStage):
    """One optimizer; its network's parameters are views of the buffer."""

    make: Callable[[nn.Module], optim.Optimizer]
    network: nn.Module
    momenta: tuple[float, ...]
    total_steps: int

    def start(self, weights: Tensor) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = self.make(self.network)
        fuse(made)
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
            if self.momenta:
                _move_momentum(group, along(self.momenta, step, self.total_steps))
        state.optimizer.step()
        for each in self.network.parameters():
            each.grad = None
        return state


def fuse(optimizer: optim.Optimizer) -> None:
    """Let torch step all parameters of a group in one operation, where this optimizer has one and the user chose none: the same
    step but for rounding. It must not have stepped yet."""
    if type(optimizer) not in _FUSED or optimizer.state:
        return
    for group in optimizer.param_groups:
        chosen = any(group.get(name) for name in ("fused", "foreach", "capturable", "differentiable"))
        plain = all(each.dtype is torch.float32 and each.device.type in {"cpu", "cuda"} for each in group["params"])
        rate_is_a_tensor = isinstance(group["lr"], Tensor)
        if not chosen and plain and not rate_is_a_tensor:
            group["fused"] = True


def _move_momentum(group: dict[str, Any], momentum: float) -> None:
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


class _Own:
    """An optimizer and the rates that its groups began with; no tensor of it leads with K."""

    def __init__(self, optimizer: optim.Optimizer, rates: list[float]) -> None:
        self.optimizer, self.rates = optimizer, rates
