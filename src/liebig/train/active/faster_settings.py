"""Faster settings.

Does: times the pass forward and back on a real batch as it is, and with each setting that may be faster here: float32 where the network
  holds float64, bfloat16 autocast, channels-last where it convolves pictures. Rounds alternate, the best of each counts.
Shows: what this machine could do with the same network and batch.
Misleads: the optimizer's own step is left out. A machine that is busy with other work is slower in all rounds alike, or in some.
Source: Micikevicius et al. 2018, arXiv:1710.03740 (mixed precision); the measured A/B of compute settings that populations use.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from liebig.core.evidence import WIDE_NUMBERS, FasterSettings
from liebig.train.active.nested import mapped, tensors_of
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.workbench import Bench, Refused, train_mode

_ROUNDS: Final = 4
#: Steps shorter than this are made of launches, not of arithmetic.
_SHORTEST: Final = 5e-4


#: Another number format is tried from here on: below, the gain is that of single kernels, and not worth its rounding.
_LONG: Final = 1e-2


class FasterSettingsProbe(ActiveProbe):
    """Seconds of a pass forward and back, as it is and with other settings."""

    makes = FasterSettings
    share = 0.1

    def measure(self, bench: Bench) -> FasterSettings:
        if bench.copy.in_place:
            raise Refused("the network cannot be copied")
        if bench.step_seconds < _SHORTEST:
            raise Refused(f"a step of {bench.step_seconds * 1e3:.2g} ms is too short to tell")
        bench.copy.to_present()
        train_mode(bench)
        settings = _settings(bench)
        best = [math.inf] * len(settings)
        for _ in range(_ROUNDS):
            for i, setting in enumerate(settings):
                best[i] = min(best[i], _seconds(bench, setting))
            if bench.clock.left() < 0:
                break
        names = tuple(setting.name for setting in settings[1:])
        if not names or not math.isfinite(best[0]):
            raise Refused("no other setting applies")
        return FasterSettings(best[0], names, tuple(each if math.isfinite(each) else math.nan for each in best[1:]))


@dataclass(frozen=True, slots=True, eq=False)
class _Setting:
    name: str
    model: nn.Module
    batch: Any
    around: Callable[[], AbstractContextManager[Any]] = nullcontext


def _settings(bench: Bench) -> list[_Setting]:
    """The network as it is first, then what may be faster."""
    batch = bench.on_device(bench.train.first(bench.batch))
    device = bench.copy.device.type
    found = [_Setting("as it is", bench.model, batch)]
    narrow, inputs = bench.model, batch
    if any(each.dtype is torch.float64 for each in bench.model.parameters()):
        narrow, inputs = _narrow(bench.model), mapped(_narrowed, batch)
        found.append(_Setting(WIDE_NUMBERS, narrow, inputs))
    narrowed = {each.dtype for each in narrow.parameters()} & {torch.bfloat16, torch.float16}
    if bench.step_seconds > _LONG and device in {"cpu", "cuda"} and not narrowed:
        found.append(_Setting("bfloat16 autocast", narrow, inputs, lambda: torch.autocast(device, torch.bfloat16)))
    if any(isinstance(each, nn.Conv2d) for each in narrow.modules()) and any(x.dim() == 4 for x in tensors_of(inputs)):
        last = copy.deepcopy(narrow).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        found.append(_Setting("channels-last", last, mapped(_channels_last, inputs)))
    return found


def _narrow(model: nn.Module) -> nn.Module:
    """A copy in float32. Networks that widen their inputs themselves are met by narrowing what enters each layer."""
    twin = copy.deepcopy(model).float()
    for module in twin.modules():
        if next(module.parameters(recurse=False), None) is not None:
            module.register_forward_pre_hook(lambda _module, inputs: mapped(_narrowed, inputs))
    return twin


def _seconds(bench: Bench, setting: _Setting) -> float:
    """Seconds of one pass forward and back; infinite where the setting does not work."""
    for parameter in setting.model.parameters():
        parameter.grad = None
    _wait(bench)
    began = time.perf_counter()
    try:
        with setting.around():
            loss = bench.passing.loss(setting.model, setting.batch)
        loss.backward()  # type: ignore[no-untyped-call]
    except (RuntimeError, TypeError, ValueError):
        return math.inf
    _wait(bench)
    return time.perf_counter() - began


def _wait(bench: Bench) -> None:
    if bench.copy.device.type == "cuda":
        torch.cuda.synchronize(bench.copy.device)


def _narrowed(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype is torch.float64 else tensor


def _channels_last(tensor: Tensor) -> Tensor:
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor
