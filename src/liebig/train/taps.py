"""What enters and what leaves the activations of a user's own network, seen in one pass."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any, Final

from torch import Tensor
from torch.overrides import TorchFunctionMode

from liebig.nets.foreign.activations import BENDING, kind_of_function
from liebig.nets.network import Tap

_LAYERS: Final = frozenset({
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
})  # fmt: skip
#: What hands the answer of a layer on to its activation.
_BETWEEN: Final = frozenset({
    "batch_norm", "layer_norm", "group_norm", "instance_norm", "dropout", "dropout1d", "dropout2d", "dropout3d", "view",
    "reshape", "flatten", "squeeze", "unsqueeze", "contiguous", "max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d",
    "boolean_dispatch", "fn",
})  # fmt: skip
_SAMPLES: Final = 2048


class Taps(TorchFunctionMode):
    """While it is entered, each activation that follows a layer is shown to `tap`: [1, rows, units], under the layer's name.
    `names` are layers by the number (id) of their weight."""

    def __init__(self, names: Mapping[int, str], tap: Tap) -> None:
        super().__init__()
        self._names, self._tap = names, tap
        self._from: dict[int, tuple[weakref.ref[Tensor], str, bool]] = {}
        self._shown: set[str] = set()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        name = getattr(func, "__name__", "")
        plain = name.rstrip("_")
        source = self._source(args[0]) if args else None
        bends = plain in BENDING and source is not None and source[0] not in self._shown
        before = _units_last(args[0], source[1]).clone() if bends and source is not None else None
        result = func(*args, **given)
        if not isinstance(result, Tensor):
            return result
        if name in _LAYERS:
            weight = given.get("weight", args[1] if len(args) > 1 else None)
            layer = self._names.get(id(weight))
            if layer is not None:
                self._from[id(result)] = weakref.ref(result), layer, name != "linear"
        elif before is not None and source is not None:
            self._shown.add(source[0])
            self._tap(source[0], kind_of_function(plain), before[None], _units_last(result, source[1])[None])
        elif plain in _BETWEEN and source is not None:
            self._from[id(result)] = weakref.ref(result), source[0], source[1] and result.ndim > 2
        return result

    def _source(self, value: Any) -> tuple[str, bool] | None:
        known = self._from.get(id(value))
        return known[1:] if known is not None and known[0]() is value else None


def _units_last(values: Tensor, channels_first: bool) -> Tensor:
    """[rows, units], at most so many rows."""
    values = values.detach()
    if values.ndim == 1:
        return values[:, None]
    if channels_first and values.ndim > 2:
        values = values.movedim(1, -1)
    flat = values.reshape(-1, values.shape[-1])
    return flat[:: max(1, len(flat) // _SAMPLES)]
