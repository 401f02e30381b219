"""Which calls are layers, which only hand values on, and which join several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from liebig.nets.foreign.tape import Call, Tape

LINEAR: Final = frozenset({"linear"})
CONVOLUTION: Final = frozenset(
    {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}
)
NORMALISING: Final = {
    "batch_norm": "batch-norm", "layer_norm": "layer-norm", "group_norm": "group-norm", "instance_norm": "other-norm",
    "rms_norm": "other-norm", "local_response_norm": "other-norm", "normalize": "other-norm",
}  # fmt: skip
DROPPING: Final = frozenset({
    "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "feature_dropout",
})  # fmt: skip
#: What passes values on as they are, in another shape or place, or one by one.
PASSING: Final = frozenset({
    "flatten", "unflatten", "reshape", "view", "view_as", "permute", "transpose", "swapaxes", "movedim", "squeeze",
    "unsqueeze", "contiguous", "clone", "to", "float", "half", "double", "type", "type_as", "expand", "detach", "cpu", "cuda",
    "__getitem__", "t", "mean", "sum", "amax", "max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d",
    "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool2d", "adaptive_max_pool3d", "pad", "interpolate", "upsample", "pixel_shuffle", "chunk", "split",
    "_max_pool1d", "_max_pool2d", "_max_pool3d", "boolean_dispatch", "fn", "max_pool1d_with_indices", "clamp", "mul", "div",
    "__mul__", "__truediv__", "__rmul__",
})  # fmt: skip
#: What passes every value on as it is, in another shape or place.
RESHAPING: Final = frozenset({
    "flatten", "reshape", "view", "view_as", "squeeze", "unsqueeze", "contiguous", "to", "float", "permute", "transpose",
})  # fmt: skip
#: What makes one value of several.
JOINING: Final = frozenset(
    {"add", "add_", "__add__", "__radd__", "__iadd__", "sub", "__sub__", "cat", "concat", "stack"}
)


def is_hidden_layer(call: Call) -> bool:
    """True for linear layers and convolutions."""
    return call.function in LINEAR or call.function in CONVOLUTION


def passes_on(call: Call) -> bool:
    """True for calls that hand values on: reshaping, pooling, dropout, normalisation."""
    alone = len(call.sources) == 1  # a product of two answers joins them
    return (call.function in PASSING and alone) or call.function in DROPPING or call.function in NORMALISING


def users_until_layers(tape: Tape, number: int, passes: Callable[[Call], bool]) -> Iterator[Call]:
    """The calls that read what call `number` made, and on through those that `passes`; each once, nearest first."""
    waiting, seen = list(tape.users.get(number, ())), set[int]()
    while waiting:
        current = waiting.pop(0)
        if current in seen:
            continue
        seen.add(current)
        call = tape.calls[current]
        yield call
        if passes(call):
            waiting.extend(tape.users.get(current, ()))
