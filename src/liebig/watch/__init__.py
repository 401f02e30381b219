"""What does a loop that we don't own show? Hooks and a function mode: looks in, evidence out.

`liebig.watch` is both this package and, called, the way to watch a loop.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from liebig.watch.watch import Watch

__all__ = ["Watch"]


class _Callable(ModuleType):
    """The package itself can be called: `liebig.watch(model, optimizer)`."""

    def __call__(self, *given: Any, **named: Any) -> Watch:
        return Watch(*given, **named)


sys.modules[__name__].__class__ = _Callable
