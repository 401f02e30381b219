"""A stack of one on the processor, whose rate a kernel can take as a plain number."""

from __future__ import annotations

from torch import Tensor


def is_one_on_processor(weights: Tensor) -> bool:
    """True for `weights` [1, n] where reading a number waits for nobody."""
    return len(weights) == 1 and weights.device.type == "cpu"
