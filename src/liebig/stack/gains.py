"""By how much must weights be larger for the activation that follows them?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: The gain by the activation's kind. Sigmoid, tanh, the ReLUs and SELU as torch.nn.init.calculate_gain has them; for the
#: others, which it lacks, the gain that keeps the second moment of a standard normal, 1 / sqrt(E[f(z)^2]), from which the
#: square root of 2 of the ReLU follows, too.
GAINS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "": 1.0,
        "identity": 1.0,
        "sigmoid": 1.0,
        "tanh": 5.0 / 3.0,
        "relu": math.sqrt(2.0),
        "leaky-relu": math.sqrt(2.0 / (1.0 + 0.01**2)),
        "selu": 0.75,
        "elu": 1.2452083,
        "gelu": 1.5335304,
        "silu": 1.6765325,
    }
)


def gain_of(activation: str) -> float:
    """The gain of an activation's kind; 1 for one that is not listed."""
    return GAINS.get(activation, 1.0)
