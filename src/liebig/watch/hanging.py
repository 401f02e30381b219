"""What of ours hangs on a network and its optimizers, and when: hooks after and before the steps, on the network's entry,
and on its answers.

Only the hooks after the steps are always there. The hook on the entry, which sees evaluations, hangs there while that is
affordable or when one is expected; those before the steps and on the answers hang there while a look needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from torch import nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from liebig.watch.hooks import Hook

_SHARE: Final = 0.0003  # of the time so far may be spent on the hook on the network's entry between looks,
_GRACE: Final = 0.002  # and so many seconds;
_HOOK_SECONDS: Final = 8e-6  # is what it costs a pass
_COUNT_SECONDS: Final = 0.6e-6  # and this is what counting costs a step

StepHook = Callable[[Optimizer, Any, Any], None]


class Answers:
    """A hook after the forward pass of the network's entries, there for as long as somebody needs it."""

    def __init__(self) -> None:
        self._handles: list[RemovableHandle] = []

    def hang(self, entries: Sequence[nn.Module], target: Callable[..., None]) -> None:
        """Hang `target` on all entries, unless something hangs there already."""
        if not self._handles:
            self._handles = [each.register_forward_hook(Hook(target)) for each in entries]

    def drop(self) -> bool:
        """Take it away; whether it was there."""
        was_there = bool(self._handles)
        for handle in self._handles:
            handle.remove()
        self._handles = []
        return was_there


class Hanging:
    """The hooks on one network and its optimizers.

    `forward` is called before the passes of the network, `before` with an optimizer's number before its step; `after` are
    the hooks after the steps, one for each optimizer.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizers: Sequence[Optimizer],
        forward: Callable[..., None],
        before: Callable[[int], None],
        after: Sequence[StepHook],
    ) -> None:
        self._model, self._optimizers, self._forward, self._before = model, optimizers, forward, before
        self._names = {id(module): name for name, module in model.named_modules()}
        self.entries: list[str] = []  # names of the modules that the loop itself calls
        self.discovering = True  # which these are is not known yet
        self._listening = True  # the hook on the entries is there,
        self._heard, self._since = 0, 0  # how many steps it was so far, and since which step it is there now
        self._after_steps = [
            optimizer.register_step_post_hook(each) for optimizer, each in zip(optimizers, after, strict=True)
        ]
        self._before_steps: list[RemovableHandle] = []
        self.before_steps(True)
        # Which module the loop calls is not known yet: the network itself, or (a wrapper that is never called) parts of it.
        self._on_entries = {name: self._hooked(module) for name, module in model.named_modules()}

    def _hooked(self, module: nn.Module) -> RemovableHandle:
        return module.register_forward_pre_hook(Hook(self._forward), with_kwargs=True)

    def release(self) -> None:
        """Take everything away."""
        for handle in (*self._after_steps, *self._before_steps, *self._on_entries.values()):
            handle.remove()
        self._after_steps, self._before_steps, self._on_entries = [], [], {}

    # --- steps ---

    def before_steps(self, on: bool) -> None:
        """Hang hooks before the optimizers' steps, or take them away. Not to be called from such a hook."""
        if on and not self._before_steps:
            self._before_steps = [
                optimizer.register_step_pre_hook(_Before(self._before, number))
                for number, optimizer in enumerate(self._optimizers)
            ]
        elif not on and self._before_steps:
            for handle in self._before_steps:
                handle.remove()
            self._before_steps = []

    # --- entries ---

    def is_entry(self, module: nn.Module) -> bool:
        """Whether this is a pass that the loop itself asks for, not one inside another."""
        name = self._names.get(id(module))
        if name is None:
            return False  # a replica of DataParallel
        if self.discovering:
            if any(_within(name, entry) for entry in self.entries if entry != name):
                return False
            if name not in self.entries:
                self.entries.append(name)
        return name in self.entries

    def modules(self) -> list[nn.Module]:
        """The entries themselves."""
        return [self._model.get_submodule(name) for name in self.entries]

    def discovered(self) -> None:
        """A whole step has passed: nothing else is an entry."""
        self.discovering = False
        for name in [each for each in self._on_entries if each not in self.entries]:
            self._on_entries.pop(name).remove()

    def listen(self, on: bool, step: int) -> None:
        """Hang the hook on the entries, or take it away, after `step` steps."""
        if on is self._listening:
            return
        self._listening = on
        if on:
            self._since = step
            for name, module in zip(self.entries, self.modules(), strict=True):
                self._on_entries[name] = self._hooked(module)
        else:
            self._heard += step - self._since
            for handle in self._on_entries.values():
                handle.remove()
            self._on_entries = {}

    # --- what it costs ---

    def heard(self, step: int) -> int:
        """Steps during which the hook on the entries was there, of `step`."""
        return self._heard + (step - self._since if self._listening else 0)

    def affords(self, step: int, seconds: float) -> bool:
        """Whether that hook has cost little enough, after `step` steps and `seconds`, to stay."""
        return self.heard(step) * _HOOK_SECONDS <= _SHARE * seconds + _GRACE

    def cost(self, step: int, counted: int) -> float:
        """Seconds that the hooks between looks have cost after `step` steps and `counted` calls of the hooks after steps."""
        return self.heard(step) * _HOOK_SECONDS + counted * _COUNT_SECONDS


class _Before:
    """A hook before an optimizer's step. A copy of an optimizer has no hooks, so this needs no copying."""

    __slots__ = ("call", "number")

    def __init__(self, call: Callable[[int], None], number: int) -> None:
        self.call, self.number = call, number

    def __call__(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        self.call(self.number)


def _within(name: str, other: str) -> bool:
    return other == "" or name.startswith(f"{other}.")
