"""Batches of a data set that is read row by row, read by worker processes before they are asked for.

torch's DataLoader does the work. What a data set draws at random comes from (the epoch's seed, the batch's number) alone, so that
a training does not depend on how many workers there are.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from liebig.core.errors import UserError
from liebig.data.module.items import Chained, Kept
from liebig.stack.draws import member_seed

#: Batches that each worker holds ready.
_AHEAD: Final = 2
#: A worker that gives nothing for so long hangs, seconds.
_PATIENCE: Final = 120.0


@dataclass(frozen=True, slots=True)
class _Refused:
    """What the data set's own code raised, which is told in the words that were meant for the user."""

    sentence: str


class _Batches(Dataset[Any]):
    """Batch `number` of an epoch, as (inputs, target)."""

    def __init__(self, items: Chained, rows: Sequence[Tensor], seed: int) -> None:
        self.items, self.rows, self.seed = items, rows, seed

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> Any:
        seed = member_seed(self.seed, number)
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed & 0xFFFFFFFF)
        try:
            return self.items.batch(self.rows[number])
        except UserError as error:
            return _Refused(str(error))


def _as_it_is(value: Any) -> Any:
    return value


def _on_processor(items: Chained) -> Chained:
    """The same, whose rows come to the processor: a worker process must not touch a graphics processor."""
    return items.put(torch.device("cpu"))


class Ahead:
    """Reads one epoch's batches ahead. After `begin` they are taken in that order; any others are none of it."""

    def __init__(self, items: Chained, workers: int, device: torch.device) -> None:
        self._items, self._workers, self._device = _on_processor(items), workers, device
        self._coming: Iterator[Any] | None = None
        self._rows: list[Tensor] = []
        self._number = 0
        self.failed = ""

    @property
    def is_of_use(self) -> bool:
        """Whether anything is read row by row, and workers are there to do it."""
        return self._workers > 0 and not self.failed and not all(isinstance(each, Kept) for each in self._items.parts)

    def begin(self, rows: Sequence[Tensor], seed: int) -> None:
        """The batches that will be asked for, int64 [B] each, in order."""
        self.end()
        if not self.is_of_use or not rows:
            return
        self._rows, self._number = [each.cpu() for each in rows], 0
        loader = DataLoader(
            _Batches(self._items, self._rows, seed), batch_size=None, num_workers=self._workers, collate_fn=_as_it_is,
            prefetch_factor=_AHEAD, pin_memory=self._device.type == "cuda", timeout=_PATIENCE,
        )  # fmt: skip
        try:
            self._coming = iter(loader)
        except (
            RuntimeError,
            OSError,
            AttributeError,
            TypeError,
        ) as error:  # no process can be made, or not of this set
            self.failed = _first_line(error)

    def take(self, rows: Tensor) -> tuple[tuple[Tensor, ...], Tensor] | None:
        """The batch of these rows [B], on the device, where it is the next one that was read; else None."""
        if self._coming is None or self._number >= len(self._rows):
            return None
        wanted = self._rows[self._number]
        if wanted.shape != rows.shape or not torch.equal(wanted, rows.cpu()):
            return None
        try:
            found = next(self._coming)
        except (RuntimeError, OSError) as error:  # a worker died: out of memory, or of shared memory
            self.failed = _first_line(error)
            self.end()
            return None
        self._number += 1
        if isinstance(found, _Refused):
            raise UserError(found.sentence)
        leaves, target = found
        quick = self._device.type == "cuda"
        return (
            tuple(each.to(self._device, non_blocking=quick) for each in leaves),
            target.to(self._device, non_blocking=quick),
        )

    def end(self) -> None:
        """The workers end."""
        self._coming, self._rows = None, []


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
