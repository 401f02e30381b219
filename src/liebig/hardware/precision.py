"""Which precision is faster here: measured on the products that a population makes, once for each size."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Final

import torch

from liebig.hardware.allocator import keep_freed_pages
from liebig.hardware.replay import replayed

_SECONDS: Final = 0.04  # for one size and both precisions
_MOST_MEMBERS: Final = 8  # of the trial products: more only repeat them
_GAIN: Final = 1.15  # what bfloat16 must gain to be worth its rounding


def _bucket(value: int) -> int:
    """The power of two at or above `value`: sizes in one bucket share a measurement."""
    return 1 << max(0, value - 1).bit_length()


@torch.no_grad()
def _step_seconds(device: torch.device, dtype: torch.dtype, members: int, batch: int, width: int) -> float:
    """Least seconds of the products of a hidden and an output layer, forward and backward, with the copies that a lower
    precision needs. The output layer counts: small products have a high fixed cost in some precisions."""
    keep_freed_pages()
    master = torch.randn(members, width, width, device=device)
    gradient = torch.empty_like(master)
    x, weight = torch.randn(members, batch, width, device=device).to(dtype), master.to(dtype)
    last = torch.randn(members, width, 1, device=device).to(dtype)

    def products() -> None:
        if dtype != torch.float32:
            weight.copy_(master)
        hidden = torch.relu(torch.bmm(x, weight))
        answer = torch.bmm(hidden, last)
        torch.bmm(hidden.transpose(1, 2), answer)
        back = torch.bmm(answer, last.transpose(1, 2))
        gradient.copy_(torch.bmm(x.transpose(1, 2), back))
        torch.bmm(back, weight.transpose(1, 2))

    work = replayed(products, device)
    least, until, done = float("inf"), time.perf_counter() + _SECONDS / 2, 0
    while done < 3 or (time.perf_counter() < until and done < 200):
        began = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        least, done = min(least, time.perf_counter() - began), done + 1
    return least


@lru_cache(maxsize=256)
def _gain(device: torch.device, members: int, batch: int, width: int) -> float:
    wide = _step_seconds(device, torch.float32, members, batch, width)
    return wide / _step_seconds(device, torch.bfloat16, members, batch, width)


def bfloat16_gain(device: torch.device, members: int = 8, batch: int = 128, width: int = 128) -> float:
    """How many times faster than float32 the products of such a population are in bfloat16."""
    if device.type == "mps":
        return 0.0
    return _gain(device, _bucket(min(members, _MOST_MEMBERS)), _bucket(min(batch, 1024)), _bucket(min(width, 1024)))


def fastest_dtype(device: torch.device, members: int, batch: int, width: int) -> torch.dtype:
    """The compute precision for a population of such a size."""
    return torch.bfloat16 if bfloat16_gain(device, members, batch, width) >= _GAIN else torch.float32
