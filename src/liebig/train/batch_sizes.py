"""Larger batches on this machine: how many rows a second they train, what memory they take, and the largest that fits.

Memory is predicted from two small batches, since a step adds an affine function of its rows, and measured at each size that is
tried. A larger batch is another training: its rate must be found anew, and the score is another question.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.core.task import Block, Task
from liebig.hardware.memory import free_bytes
from liebig.nets.surgery import seeded
from liebig.train.encoding import Encoding
from liebig.train.memory import SHARE_OF_FREE
from liebig.train.plan import batching_of
from liebig.train.tune import Trial

#: Batches are doubled until that gains less than this share twice, or the time is over.
_GAIN: Final = 1.05
_MOST: Final = 12
SECONDS: Final = 4.0
#: What backward keeps is needed so many times over on a processor: its gradient, and what is made on the way.
_ALIVE: Final = 2.0


@dataclass(frozen=True, slots=True)
class BatchSize:
    """Batches of `rows` rows: rows trained in a second, the bytes that a step adds as they were predicted from the two
    smallest (0 for those) and as they were measured."""

    rows: int
    rows_per_second: float
    predicted_bytes: float
    measured_bytes: float


@dataclass(frozen=True, slots=True)
class BatchSizes:
    """What was tried, the present size first. `largest` is the largest power of two times the present size that fits by the
    prediction, no larger than the rows that there are; `free` the bytes that training may take of what is free."""

    tried: tuple[BatchSize, ...]
    largest: int
    free: int

    @property
    def fastest(self) -> BatchSize:
        """The size that trains the most rows in a second."""
        return max(self.tried, key=lambda each: each.rows_per_second)

    def sentence(self) -> str:
        """All of it in words."""
        now, best = self.tried[0], self.fastest
        told = f"Batches of {now.rows:,} rows train {now.rows_per_second:,.0f} rows a second"
        if best.rows != now.rows:
            told += f"; of {best.rows:,}, {best.rows_per_second / now.rows_per_second:.1f} times as many (with a rate of their own)"
        last = self.tried[-1]
        if last.predicted_bytes > 0:
            told += (
                f". A step of {last.rows:,} rows was predicted to take {_size(last.predicted_bytes)} and took "
                f"{_size(last.measured_bytes)}"
            )
        return f"{told}. The largest that fits into {_size(self.free)} of memory is {self.largest:,} rows."


def _size(count: float) -> str:
    return f"{count / 1024**3:.1f} GiB" if count >= 1024**3 else f"{count / 1024**2:.1f} MiB"


def batch_sizes(
    task: Task[Any], recipe: Recipe, block: Block, encoding: Encoding, *, seconds: float = SECONDS
) -> BatchSizes | None:
    """Sizes from that of `recipe` on, doubled; None where not even that runs."""
    first, until = batching_of(recipe).size, time.perf_counter() + seconds
    tried: list[BatchSize] = []
    free = 0
    with seeded(0):
        for doubling in range(_MOST):
            rows = first << doubling
            if rows > len(block.fit) or (len(tried) > 1 and time.perf_counter() > until):
                break
            batching = batching_of(recipe).model_copy(update={"size": rows})
            trial = Trial(task, recipe.replace(batching=batching), block, encoding, 1)
            measured = _measured(trial)
            if measured is None:
                break
            free = free or int(SHARE_OF_FREE * free_bytes(trial.device))
            if tried and _predicted(tried, rows) > free:
                break
            tried.append(BatchSize(rows, trial.rows / trial.seconds, _predicted(tried, rows), measured))
            if len(tried) > 2 and tried[-1].rows_per_second < _GAIN * tried[-3].rows_per_second:
                break
    if not tried:
        return None
    return BatchSizes(tuple(tried), _largest(tried, first, free, len(block.fit)), free)


def _measured(trial: Trial) -> float | None:
    """Bytes that a step adds, once its speed is known; None where it does not run."""
    trial.warm(float("inf"), float("inf"))
    trial.turn()
    if trial.why:
        return None
    if trial.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(trial.device)
        before = torch.cuda.memory_allocated(trial.device)
        trial.as_it_is()
        if trial.why:
            return None
        return float(torch.cuda.max_memory_allocated(trial.device) - before)
    sizes: dict[int, int] = {}

    def pack(value: Tensor) -> Tensor:
        sizes[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
        return value

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        trial.as_it_is()
    if trial.why:
        return None
    return _ALIVE * sum(sizes.values())


def _predicted(tried: Sequence[BatchSize], rows: int) -> float:
    """Bytes of a step of so many rows from the two smallest; 0 before there are two."""
    if len(tried) < 2:
        return 0.0
    one, other = tried[0], tried[1]
    each = max((other.measured_bytes - one.measured_bytes) / (other.rows - one.rows), 0.0)
    return one.measured_bytes + each * (rows - one.rows)


def _largest(tried: Sequence[BatchSize], first: int, free: int, rows: int) -> int:
    """Where one size alone was tried, a step is taken to need bytes for its rows alone."""
    largest = tried[-1].rows
    while 2 * largest <= rows and largest < first << 40:
        needed = _predicted(tried, 2 * largest) or tried[0].measured_bytes * 2 * largest / tried[0].rows
        if needed > free:
            break
        largest *= 2
    return largest
