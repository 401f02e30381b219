"""Everything is as it was: what a probe could move is kept before and put back after, also when the probe raises.

Weights, buffers, gradients, flags and hooks of the user's own network; the generators of python, numpy and torch (CPU and
every CUDA device in use); the generators inside loaders, samplers, data sets and their transforms.
"""

from __future__ import annotations

import random
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

Restore = Callable[[], None]

_DEPTH: Final = 6  # of attributes, from a loader down to the generator of a transform
_OBJECTS: Final = 2_000
_PLAIN: Final = (
    str,
    bytes,
    int,
    float,
    complex,
    bool,
    type(None),
    type,
    types.ModuleType,
    Tensor,
    np.ndarray,
    nn.Module,
)


@contextmanager
def preserved(model: nn.Module, *readers: Any) -> Iterator[None]:
    """Inside, `model` may be run and trained and `readers` (loaders, data sets, functions) read; after, all is as it was."""
    restores = [keep_generators(), keep_model(model), *(keep_readers(each) for each in readers)]
    try:
        yield
    finally:
        for restore in reversed(restores):
            restore()


def keep_generators() -> Restore:
    """Keep the state of the global generators of python, numpy and torch."""
    python, numbers, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]

    def restore() -> None:
        random.setstate(python)
        np.random.set_state(numbers)
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)

    return restore


def keep_model(model: nn.Module) -> Restore:
    """Keep values, gradients and attributes of every module. While they are kept the parameters have no gradient, so that
    nothing is added to the loop's own."""
    parameters = list(model.parameters())
    tensors = [each.detach() for each in (*parameters, *model.buffers())]
    values = [each.clone() for each in tensors]
    gradients = [(each, each.grad, each.requires_grad) for each in parameters]
    attributes = [(module, shallow(vars(module))) for module in model.modules()]
    for each in parameters:
        each.grad = None

    def restore() -> None:
        for module, kept in attributes:
            put_back(vars(module), kept)
        with torch.no_grad():
            for tensor, value in zip(tensors, values, strict=True):
                if not torch.equal(tensor, value):  # a NaN differs from itself, and is then written anew: the same bits
                    tensor.copy_(value)
        for parameter, gradient, requires in gradients:
            parameter.grad = gradient
            parameter.requires_grad_(requires)

    return restore


def shallow(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a module, with copies of the dictionaries in which it holds parameters, hooks and modules."""
    return {name: value.copy() if isinstance(value, dict) else value for name, value in attributes.items()}


def put_back(attributes: dict[str, Any], kept: Mapping[str, Any]) -> None:
    """Give a module's attributes the values that were kept; its dictionaries stay the same objects."""
    for name in [name for name in attributes if name not in kept]:
        del attributes[name]
    for name, value in kept.items():
        own = attributes.get(name)
        if isinstance(value, dict) and isinstance(own, dict):
            own.clear()
            own.update(value)
        else:
            attributes[name] = value


def keep_readers(reader: Any) -> Restore:
    """Keep the generators that hang on a loader, a data set or a function."""
    restores = [_keep_generator(each) for each in generators_in(reader)]

    def restore() -> None:
        for each in restores:
            each()

    return restore


def generators_in(root: Any) -> list[Any]:
    """The random generators that can be reached through the attributes and items of `root`."""
    found: list[Any] = []
    seen: set[int] = set()
    level = [root]
    for _ in range(_DEPTH):
        following: list[Any] = []
        for each in level:
            if id(each) in seen or isinstance(each, _PLAIN):
                continue
            if len(seen) >= _OBJECTS:
                return found
            seen.add(id(each))
            if isinstance(each, (torch.Generator, random.Random, np.random.Generator, np.random.RandomState)):
                found.append(each)
            else:
                following += _parts(each)
        level = following
    return found


def _parts(each: Any) -> list[Any]:
    if isinstance(each, Mapping):
        return list(each.values())[:64]
    if isinstance(each, (list, tuple)):
        return list(each[:64])
    closed = getattr(each, "__closure__", None) or ()
    cells = [cell.cell_contents for cell in closed if _is_filled(cell)]
    owner = getattr(each, "__self__", None)
    return [*cells, owner, *vars(each).values()] if hasattr(each, "__dict__") else [*cells, owner]


def _is_filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _keep_generator(generator: Any) -> Restore:
    if isinstance(generator, torch.Generator):
        torch_state = generator.get_state()
        return lambda: _nothing(generator.set_state(torch_state))
    if isinstance(generator, random.Random):
        python_state = generator.getstate()
        return lambda: generator.setstate(python_state)
    if isinstance(generator, np.random.RandomState):
        old_state = generator.get_state()
        return lambda: generator.set_state(old_state)
    bits = generator.bit_generator
    state = bits.state

    def restore() -> None:
        bits.state = state

    return restore


def _nothing(_: object) -> None:
    return None
