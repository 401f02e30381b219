"""Putting a function mode into torch's stack of modes, and taking it out, whoever else is there.

Modes of others are entered and left in their own order. Ours goes beneath them, so that whoever leaves the top finds what
he put there; only the context of `torch.set_default_device` stays below, where torch insists on finding it.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable

import torch
from torch._C import _len_torch_function_stack, _pop_torch_function_stack, _push_on_torch_function_stack
from torch.overrides import TorchFunctionMode

_entered: weakref.WeakSet[TorchFunctionMode] = weakref.WeakSet()


def enter(mode: TorchFunctionMode) -> None:
    """Put `mode` at the bottom of this thread's stack, above the default device's context."""
    default = getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)
    above = _popped_until(lambda each: each is default)
    if above and above[-1] is default:
        _push_on_torch_function_stack(above.pop())
    _push_on_torch_function_stack(mode)
    _push_again(above)
    _entered.add(mode)


def leave(mode: TorchFunctionMode) -> bool:
    """Take `mode` out of this thread's stack, wherever in it it is; False when it is not there."""
    above = _popped_until(lambda each: each is mode)
    found = bool(above) and above[-1] is mode
    if found:
        above.pop()
        _entered.discard(mode)
    _push_again(above)
    return found


def _popped_until(is_last: Callable[[TorchFunctionMode], bool]) -> list[TorchFunctionMode]:
    """Modes taken from the top, down to the first that `is_last` (included) or to the end."""
    popped: list[TorchFunctionMode] = []
    for _ in range(_len_torch_function_stack()):
        popped.append(_pop_torch_function_stack())
        if is_last(popped[-1]):
            break
    return popped


def _push_again(popped: list[TorchFunctionMode]) -> None:
    for mode in reversed(popped):
        _push_on_torch_function_stack(mode)


def _leave_all() -> None:
    """A forked process (a loader's worker) inherits the stack of modes; nobody watches there."""
    for mode in list(_entered):
        leave(mode)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all)
