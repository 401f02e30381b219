"""Hooks that a copy or a pickle of what they hang on does not take along."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import torch


class Hook:
    """Calls `target`, unless torch.compile is tracing: compiled code is not watched from inside.

    A copied or pickled one does nothing, is made of the standard library alone, and so needs no Liebig to be loaded.
    """

    __slots__ = ("target",)

    def __init__(self, target: Callable[..., None]) -> None:
        self.target = target

    def __call__(self, *given: Any) -> None:
        if torch.compiler.is_dynamo_compiling():
            return
        self.target(*given)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (contextlib.nullcontext(), "__exit__")
