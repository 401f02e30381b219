"""Is bfloat16 faster for convolutions here? Measured once on a convolution, forward and backward, channels last."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Final

import torch
from torch.nn import functional

from liebig.hardware.allocator import keep_freed_pages

_PICTURES, _SIDE, _WIDTH = 64, 16, 64
_REPEATS: Final = 4
_GAIN: Final = 1.15  # what bfloat16 must gain to be worth its rounding


def _seconds(device: torch.device, dtype: torch.dtype) -> float:
    keep_freed_pages()
    x = torch.randn(_PICTURES, _WIDTH, _SIDE, _SIDE, device=device, dtype=dtype)
    x = x.to(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(_WIDTH, _WIDTH, 3, 3, device=device, dtype=dtype).requires_grad_()
    least = float("inf")
    for _ in range(_REPEATS):
        began = time.perf_counter()
        with torch.enable_grad():
            answer = functional.conv2d(x, weight, None, 1, 1)
        torch.autograd.grad(answer, (x, weight), torch.ones_like(answer))
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        least = min(least, time.perf_counter() - began)
    return least


@lru_cache(maxsize=8)
def convolution_gain(device: torch.device) -> float:
    """How many times faster than float32 convolutions are in bfloat16; 0 where they are not there."""
    if device.type == "mps":
        return 0.0
    try:
        return _seconds(device, torch.float32) / _seconds(device, torch.bfloat16)
    except RuntimeError:
        return 0.0


def fastest_for_convolutions(device: torch.device) -> torch.dtype:
    """The compute precision for networks of convolutions."""
    return torch.bfloat16 if convolution_gain(device) >= _GAIN else torch.float32
