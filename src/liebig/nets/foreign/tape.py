"""One pass through a network, written down: which functions of torch ran, in which module, on whose answers.

Works for any network that runs, whether it can be traced symbolically or not, since nothing but the run itself is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

#: Modules that only hold others, and run them in order or not at all.
_HOLDERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


@dataclass(slots=True, eq=False)
class Call:
    """One call. `function` is torch's name of it, `path` the innermost module ("" for the network itself), `sources` the calls
    whose answers it read (-1: what entered the network). `within` is the block of torch's own in which it ran, "" outside."""

    number: int
    function: str
    path: str
    within: str
    sources: tuple[int, ...]
    entered: tuple[tuple[int, ...], ...]
    shape: tuple[int, ...]
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Tape:
    """The calls of one pass. `users[i]` are the calls that read the answer of call i; `ends` those that the network answers
    with. `visits` counts the runs of each module, `shapes` has what entered and left it the last time (tensors only)."""

    calls: list[Call] = field(default_factory=list)
    users: dict[int, list[int]] = field(default_factory=dict)
    ends: tuple[int, ...] = ()
    visits: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)
    answer: Any = None


def record(network: nn.Module, example: Sequence[Any], names: Mapping[nn.Module, str]) -> Tape:
    """Run `network` on `example` (its positional inputs) without gradient, in the mode in which it stands, and write down
    what happens. `names` are the modules' names. Raises whatever the network raises."""
    recorder = _Recorder(names)
    with torch.no_grad(), _listening(network, recorder):
        for tensor in tensors_in(example):
            recorder.born(tensor, -1)
        with recorder:
            answer = network(*example)
        recorder.tape.ends = tuple(sorted({recorder.source(tensor) for tensor in tensors_in(answer)} - {-2}))
    recorder.tape.answer = answer
    return recorder.tape


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors of nested tuples, lists and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from tensors_in(inner)
    elif isinstance(value, (tuple, list)):
        for inner in value:
            yield from tensors_in(inner)


def is_block_of_torch(module: nn.Module) -> bool:
    """True for modules of torch that hold others and run them in a way of their own (a transformer's layer)."""
    ours = type(module).__module__.startswith(("torch.nn.", "torch.ao."))
    return ours and not isinstance(module, _HOLDERS) and next(module.children(), None) is not None


class _Recorder(TorchFunctionMode):
    """Sees each function of torch while it is on."""

    def __init__(self, names: Mapping[nn.Module, str]) -> None:
        super().__init__()
        self.names = names
        self.tape = Tape()
        self.path: list[tuple[str, str]] = [("", "")]
        self._kept: list[Tensor] = []  # so that an id is never used twice
        self._born: dict[int, int] = {}

    def born(self, tensor: Tensor, number: int) -> None:
        self._kept.append(tensor)
        self._born[id(tensor)] = number

    def source(self, tensor: Tensor) -> int:
        """The call that made `tensor`; -2 for none that was seen."""
        return self._born.get(id(tensor), -2)

    def write(self, function: str, entering: Any, leaving: Any, arguments: tuple[Any, ...], options: Any) -> None:
        entered = list(tensors_in(entering))
        made = list(tensors_in(leaving))
        sources = tuple(self.source(each) for each in entered)
        if not made or all(source == -2 for source in sources):
            return
        number = len(self.tape.calls)
        path, within = self.path[-1]
        known = tuple(dict.fromkeys(source for source in sources if source != -2))
        shapes = tuple(tuple(each.shape) for each in entered)
        self.tape.calls.append(
            Call(number, function, path, within, known, shapes, tuple(made[0].shape), arguments, options)
        )
        for source in known:
            self.tape.users.setdefault(source, []).append(number)
        for each in made:
            self.born(each, number)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        options = kwargs or {}
        answer = func(*args, **options)
        name = getattr(func, "__name__", "")
        if name not in {"__get__", "__set__", "size", "dim", "numel", "__len__", "is_floating_point"}:
            self.write(name, (args, options), answer, args, options)
        return answer


@contextmanager
def _listening(network: nn.Module, recorder: _Recorder) -> Iterator[None]:
    """Tell the recorder which module runs."""
    with ExitStack() as stack:
        for module in network.modules():
            name = recorder.names.get(module, "")
            block = name if is_block_of_torch(module) else ""

            def enter(_: nn.Module, args: Any, kwargs: Any, name: str = name, block: str = block) -> None:
                recorder.path.append((name, recorder.path[-1][1] or block))
                recorder.tape.visits[name] = recorder.tape.visits.get(name, 0) + 1

            def leave(module: nn.Module, args: Any, kwargs: Any, answer: Any, name: str = name) -> None:
                entered = [*tensors_in((args, kwargs))]
                left = [*tensors_in(answer)]
                if entered and left:
                    recorder.tape.shapes[name] = (tuple(entered[0].shape), tuple(left[0].shape))
                recorder.path.pop()
                # A block whose inner work was not seen (recurrent kernels) is one call under its class's name.
                if any(recorder.source(each) == -2 for each in left):
                    recorder.path.append((name, recorder.path[-1][1]))
                    recorder.write(type(module).__name__, (args, kwargs), answer, (), {})
                    recorder.path.pop()

            stack.callback(module.register_forward_pre_hook(enter, with_kwargs=True).remove)
            stack.callback(module.register_forward_hook(leave, with_kwargs=True).remove)
        yield
