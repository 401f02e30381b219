"""A copy of the network to experiment on, with optimizers of the same class and settings.

Copied whole (weights, flags, the user's own hooks; not the watcher's). Where a network cannot be copied it is used itself, and
`preserving` puts it back.
"""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from liebig.train.active.preserving import put_back, shallow
from liebig.train.active.subject import Subject

#: Attributes in which frameworks hang the whole training on a module.
_OWNERS: Final = frozenset({"trainer", "_trainer", "fabric", "_fabric"})
_HOOKS: Final = (
    "_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks", "_state_dict_hooks",
    "_load_state_dict_post_hooks",
)  # fmt: skip
#: Optimizers of torch whose fused step is the same arithmetic.
_FUSED: Final = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)
_PREFIXES: Final = ("_orig_mod.", "module.")


def unwrapped(model: nn.Module) -> nn.Module:
    """The user's own module inside what torch.compile, DataParallel or DistributedDataParallel made of it."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            inner = model.module
        if not isinstance(inner, nn.Module):
            return model
        model = inner


@dataclass(slots=True, eq=False)
class Copy:
    """A network to experiment on. `loss`, `step` are the subject's, turned to the copy where they hold the network."""

    model: nn.Module
    optimizers: tuple[Optimizer, ...]  # the loop's own: only read
    loss: Callable[..., Any] | None
    step: Callable[..., Any] | None
    in_place: bool
    _pairs: dict[int, nn.Parameter]
    _present: tuple[tuple[Tensor, Tensor], ...]
    _attributes: tuple[tuple[nn.Module, dict[str, Any]], ...]
    _start: Mapping[str, Tensor] | None

    @property
    def stood_in_training(self) -> bool:
        """Whether the network stood in training mode when it was copied."""
        return bool(self._attributes[0][1]["training"])

    @property
    def flags(self) -> list[tuple[nn.Module, bool]]:
        """Every module with its training flag when it was copied."""
        return [(module, bool(kept["training"])) for module, kept in self._attributes]

    @property
    def device(self) -> torch.device:
        first = next(self.model.parameters(), None)
        return first.device if first is not None else torch.device("cpu")

    def to_present(self) -> None:
        """Weights, buffers and flags as the loop has them now."""
        for module, kept in self._attributes:
            put_back(vars(module), kept)
        with torch.no_grad():
            for tensor, value in self._present:
                tensor.copy_(value)
        for parameter in self.model.parameters():
            parameter.grad = None

    def to_start(self) -> str:
        """Weights and buffers as before the first step, where they are known; drawn anew where the layers can do that; else
        as they are now. Returns "initial", "redrawn" or "present"."""
        self.to_present()
        if self._start is not None:
            own = self.model.state_dict()
            with torch.no_grad():
                for name, value in self._start.items():
                    own[name].copy_(value)
            return "initial"
        return "redrawn" if _redraw(self.model) else "present"

    def trained(self) -> list[nn.Parameter]:
        """The parameters that the loop trains: those that its optimizers hold (all, where there is no optimizer) and that
        require a gradient."""
        if not self.optimizers:
            return [each for each in self.model.parameters() if each.requires_grad]
        held = {
            id(each) for optimizer in self.optimizers for group in optimizer.param_groups for each in group["params"]
        }
        return [each for own, each in self._pairs.items() if own in held and each.requires_grad]

    def rebuilt(self, rate: float) -> list[Optimizer]:
        """Fresh optimizers on the copy: class, settings and groups of the loop's own. The first group learns at `rate`, the
        others in proportion to it.

        Raises TypeError where a class cannot be made from its groups and defaults.
        """
        made = []
        first = next((_base_rate(group) for each in self.optimizers for group in each.param_groups), 0.0)
        for optimizer in self.optimizers:
            groups = []
            for group in optimizer.param_groups:
                own = [self._pairs[id(each)] for each in group["params"] if id(each) in self._pairs]
                if own:
                    rest = {name: value for name, value in group.items() if name != "params"}
                    part = _base_rate(group) / first if first > 0 else 1.0
                    groups.append({**rest, "lr": rate * part, "params": own})
            if groups:
                made.append(_of_class(optimizer, groups))
        return made


def copy_of(subject: Subject) -> Copy:
    """A copy to experiment on. Where the network cannot be copied it is the network itself: use it inside `preserved`."""
    model = unwrapped(subject.model)
    memo: dict[int, Any] = {}
    for module in model.modules():
        for name, value in vars(module).items():
            if name in _OWNERS or isinstance(value, (Optimizer, DataLoader, Dataset)):
                memo[id(value)] = value  # shared: neither the training nor the data is copied with the network
    try:
        twin = copy.deepcopy(model, memo)
        in_place = False
    except Exception:  # noqa: BLE001  # a user's module may refuse in any way: then it is used itself and put back
        twin, in_place = model, True
    if not in_place:
        _strip(twin)
    loss = subject.loss if in_place else _turned(subject.loss, memo)
    step = subject.step if in_place else _turned(subject.step, memo)
    pairs = {id(own): other for own, other in zip(model.parameters(), twin.parameters(), strict=True)}
    tensors = [each.detach() for each in (*twin.parameters(), *twin.buffers())]
    for each in tensors:
        each.grad = None
    attributes = tuple((module, shallow(vars(module))) for module in twin.modules())
    present = tuple((each, each.clone()) for each in tensors)
    return Copy(
        twin, subject.optimizers, loss, step, in_place, pairs, present, attributes, _start(twin, subject.initial)
    )


def _turned(call: Callable[..., Any] | None, memo: dict[int, Any]) -> Callable[..., Any] | None:
    """`call` with the copy in place of the network where it is a method of it or a module; functions stay as they are."""
    try:
        return copy.deepcopy(call, memo)
    except Exception:  # noqa: BLE001  # a user's callable may refuse in any way: then it is called itself
        return call


def _strip(model: nn.Module) -> None:
    """Take the watcher's own hooks off a copy; the user's, on which a network may rely, stay."""
    for module in model.modules():
        for name in _HOOKS:
            hooks = vars(module).get(name) or {}
            for key in [key for key, hook in hooks.items() if _is_ours(hook)]:
                del hooks[key]


def _is_ours(hook: Any) -> bool:
    inner = getattr(hook, "func", hook)
    home = getattr(inner, "__module__", None) or type(inner).__module__
    return home == "liebig" or home.startswith("liebig.")


def _start(model: nn.Module, initial: Mapping[str, Tensor] | None) -> Mapping[str, Tensor] | None:
    """The initial state by the copy's own names; None where it is not known or does not fit."""
    if initial is None:
        return None
    own = model.state_dict()
    named = {_plain_name(name): value for name, value in initial.items()}
    fits = {name: named[name] for name in own if name in named and isinstance(own[name], Tensor)}
    tensors = [name for name, value in own.items() if isinstance(value, Tensor)]
    if len(fits) < len(tensors) or any(fits[name].shape != own[name].shape for name in fits):
        return None
    return fits


def _plain_name(name: str) -> str:
    while name.startswith(_PREFIXES):
        name = name.partition(".")[2]
    return name


def _redraw(model: nn.Module) -> bool:
    """Draw weights anew by the layers' own `reset_parameters`; False where no layer has it."""
    drawn = False
    for module in model.modules():
        reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
        if callable(reset):
            reset()
            drawn = True
    return drawn


def _of_class(optimizer: Optimizer, groups: list[dict[str, Any]]) -> Optimizer:
    takes = inspect.signature(type(optimizer)).parameters
    if isinstance(optimizer, _FUSED) and all(_may_be_fused(group) for group in groups):
        groups = [{**group, "fused": True, "foreach": None} for group in groups]
    defaults = {name: value for name, value in optimizer.defaults.items() if name in takes}
    if "lr" in defaults:
        defaults["lr"] = _number(defaults["lr"])
    return type(optimizer)(groups, **defaults)


def _number(rate: float | Tensor) -> float:
    return float(rate)


def _may_be_fused(group: Mapping[str, Any]) -> bool:
    """Whether the same step can be made in one call, which on small networks takes a third of the time."""
    if group.get("fused") is not None or group.get("foreach") or group.get("capturable") or group.get("differentiable"):
        return False
    return all(each.device.type in {"cpu", "cuda"} and each.is_floating_point() for each in group["params"])


@cache
def needs_closure(kind: type[Optimizer]) -> bool:
    """Whether a step of this class of optimizers evaluates the network itself (LBFGS)."""
    closure = inspect.signature(kind.step).parameters.get("closure")
    return closure is not None and closure.default is inspect.Parameter.empty


def used_rate(subject: Subject) -> float:
    """The largest rate of the first parameter group that is known to have been used; NaN without an optimizer."""
    if subject.rate is not None and subject.rate > 0:
        return subject.rate
    return next((_base_rate(group) for each in subject.optimizers for group in each.param_groups), math.nan)


def _base_rate(group: Mapping[str, Any]) -> float:
    """The rate of a group before a schedule lowered it."""
    return max(_number(group.get("lr", 0.0)), _number(group.get("initial_lr", 0.0)))
