"""What this machine can do: the rate of large matrix products, the yardstick of model FLOP utilisation."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Final

import torch

_SIZES: Final = {"cpu": 1024, "cuda": 8192}
_SECONDS: Final = 0.3


@lru_cache(maxsize=16)
@torch.no_grad()
def matrix_flops(device: torch.device, dtype: torch.dtype) -> float:
    """FLOP/s of a large matrix product on `device`, the best of some tries."""
    size = _SIZES.get(device.type, 1024)
    left = torch.randn(size, size, device=device).to(dtype)
    right = torch.randn(size, size, device=device).to(dtype)
    least, until, done = float("inf"), time.perf_counter() + _SECONDS, 0
    while done < 3 or time.perf_counter() < until:
        began = time.perf_counter()
        torch.mm(left, right)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        least, done = min(least, time.perf_counter() - began), done + 1
    return 2 * size**3 / least
