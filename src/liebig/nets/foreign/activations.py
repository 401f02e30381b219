"""Activations of torch: as modules, as functions, and by the kinds that Liebig knows them by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from torch import nn

#: What Liebig can put in, by kind.
MODULES: Final[Mapping[str, Callable[[], nn.Module]]] = MappingProxyType(
    {
        "relu": nn.ReLU,
        "leaky-relu": lambda: nn.LeakyReLU(0.01),
        "elu": nn.ELU,
        "selu": nn.SELU,
        "gelu": nn.GELU,
        "silu": nn.SiLU,
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "identity": nn.Identity,
    }
)

#: How a plain script writes them.
WRITTEN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "relu": "nn.ReLU()",
        "leaky-relu": "nn.LeakyReLU(0.01)",
        "elu": "nn.ELU()",
        "selu": "nn.SELU()",
        "gelu": "nn.GELU()",
        "silu": "nn.SiLU()",
        "sigmoid": "nn.Sigmoid()",
        "tanh": "nn.Tanh()",
        "identity": "nn.Identity()",
    }
)

#: Functions of torch that bend, one value at a time or over the classes; a name's `_` is a kind's `-`.
BENDING: Final = frozenset(
    {
        "relu", "relu6", "leaky_relu", "rrelu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus",
        "sigmoid", "tanh", "hardtanh", "hardsigmoid", "hardswish", "hardshrink", "softshrink", "tanhshrink", "softsign",
        "logsigmoid", "softmax", "softmin", "log_softmax", "gumbel_softmax", "glu", "threshold", "exp", "expm1", "exp2",
        "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "square", "pow", "abs", "sinh", "cosh", "tan", "atan", "arctan",
        "erf", "special_expit", "expit",
    }
)  # fmt: skip

#: What answers are made with at the end of a network.
AT_THE_END: Final = frozenset({"softmax", "log-softmax", "sigmoid", "relu", "tanh", "logsigmoid", "softplus"})


def kind_of_function(name: str) -> str:
    """The kind of an activation from the name of its function ("" where it does not bend): "leaky_relu_" is leaky-relu."""
    plain = name.rstrip("_")
    if plain in {"special_expit", "expit"}:
        return "sigmoid"
    return plain.replace("_", "-") if plain in BENDING else ""
