"""Memory that grows: bytes in use at the looks, and whether the losses of looked-at steps are still alive with their graph."""

from __future__ import annotations

import math
import os
import weakref
from statistics import median
from typing import Final

import torch
from torch import Tensor, nn

from liebig.core.evidence import MemoryGrowth

_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_STATM: Final = "/proc/self/statm"
_LEAST_LOOKS: Final = 6
_WARM_UP: Final = 9  # steps in which caches are filled


class Memory:
    """Numbers at the looks."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._seen: list[tuple[int, float]] = []
        self._losses: list[tuple[int, weakref.ref[Tensor]]] = []
        self.graph_kept = ""

    def looked(self, step: int, loss: weakref.ref[Tensor] | None, place: str) -> None:
        """At the end of a look: memory in use, and the loss to remember (weakly)."""
        if step > _WARM_UP:
            self._seen.append((step, _in_use(self._model)))
        if loss is not None:
            self._losses.append((step, loss))
        self.graph_kept = self.graph_kept or place

    def told(self, steps: int) -> MemoryGrowth | None:
        """None before there were enough looks. Of bytes only those after the first steps count, which fill caches."""
        late = self._seen
        if len(self._losses) < _LEAST_LOOKS:
            return None
        slopes = [
            (b - a) / (j - i)
            for n, (i, a) in enumerate(late)
            for j, b in late[n + 1 :]
            if j > i and j - i >= (late[-1][0] // 4)
        ]
        alive = [reference() for _, reference in self._losses[:-1]]
        graphs = sum(each is not None and each.grad_fn is not None for each in alive)
        share = graphs / len(alive) if alive else 0.0
        if self.graph_kept:
            share = 1.0
        network = sum(
            p.numel() * p.element_size()
            for p in self._model.parameters()
            if not isinstance(p, nn.UninitializedParameter)
        )
        return MemoryGrowth(
            median(slopes) if len(late) >= _LEAST_LOOKS else math.nan,
            steps,
            network,
            0,
            round(share * steps),
            self.graph_kept,
        )


def _in_use(model: nn.Module) -> float:
    """Bytes: of the accelerator where the network is on one, else of this process."""
    first = next(model.parameters(), None)
    if first is not None and first.device.type == "cuda":
        return float(torch.cuda.memory_allocated(first.device))
    try:
        with open(_STATM, "rb", buffering=0) as told:
            return float(int(told.read().split()[1]) * _PAGE)
    except (OSError, IndexError, ValueError):
        return 0.0
