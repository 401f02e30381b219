"""Rows in memory: a bounded sample of a loader, a data set, tensors or an iterable of batches, read once for all probes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, default_collate

from liebig.core.errors import UserError
from liebig.train.active.nested import joined, length, taken, tensors_of

_BYTES: Final = 256 * 2**20
_CHUNK: Final = 256  # rows that are read between two looks at the clock


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Examples in the structure of the user's batches.

    `batch` holds all `count` of them where they could be joined to one; `batches` holds them as they were read otherwise
    (rows of unequal length, for instance). `total` is the number of examples there are in all, 0 where it is not known.
    `numbers` are the places [count] of the rows in the data set, empty where these are not known.
    """

    count: int
    total: int
    batch: Any
    batches: tuple[Any, ...]
    numbers: tuple[int, ...] = ()

    @property
    def is_table(self) -> bool:
        """Whether any rows can be put together to a batch."""
        return self.batch is not None

    def take(self, rows: Tensor) -> Any:
        """The batch of these rows [n] of a table."""
        return taken(self.batch, rows, self.count)

    def first(self, size: int) -> Any:
        """The first `size` rows; where rows cannot be put together, the first batch."""
        return self.take(torch.arange(min(size, self.count))) if self.is_table else self.batches[0]

    def in_order(self, size: int) -> Iterator[Any]:
        """All rows once, in batches."""
        if not self.is_table:
            yield from self.batches
            return
        for rows in torch.split(torch.arange(self.count), size):
            yield self.take(rows)

    def endless(self, size: int, generator: torch.Generator) -> Iterator[Any]:
        """Shuffled batches of `size`, epoch after epoch; a last one that is shorter is left out where there is a whole one."""
        for rows in endless_rows(
            self.count if self.is_table else len(self.batches), size if self.is_table else 1, generator
        ):
            yield self.take(rows) if self.is_table else self.batches[int(rows)]


def endless_rows(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Row numbers of shuffled batches of `size`, epoch after epoch."""
    size = max(1, min(size, count))
    while True:
        order = torch.randperm(count, generator=generator)
        yield from torch.split(order[: count - count % size], size)


def read_rows(source: Any, most: int, seconds: float) -> Rows:
    """At most `most` rows of `source`, read within about `seconds`: all of a small one, else a sample. What was read already stays
    as it is.

    Raises UserError for what is no data, is empty, or can be read only once.
    """
    if isinstance(source, Rows):
        return source
    until = time.perf_counter() + seconds
    if _is_tensors(source):
        count = length(source)
        return _of_tensors(source, count, most)
    if isinstance(source, DataLoader) and _has_places(source.dataset) and source.batch_sampler is not None:
        return _of_places(source.dataset, source.collate_fn, loader_batch(source) or 32, most, until)
    if isinstance(source, DataLoader):
        return _of_batches(without_workers(source), most, until)
    if not isinstance(source, Dataset):
        return _of_batches(source, most, until)
    if _has_places(source):
        return _of_places(source, default_collate, _CHUNK, most, until)
    return _of_batches((default_collate([each]) for each in iter(source)), most, until, checked=True)


def loader_batch(source: Any) -> int:
    """The batch size of a loader, 0 where there is none."""
    size = getattr(source, "batch_size", None)
    if size is None:
        size = getattr(getattr(source, "batch_sampler", None), "batch_size", None)
    return size if isinstance(size, int) else 0


def without_workers(loader: DataLoader[Any]) -> DataLoader[Any]:
    """The same rows read in this process: workers that wait for the loop's next batch are not disturbed."""
    if not loader.num_workers:
        return loader
    return DataLoader(loader.dataset, batch_size=loader.batch_size, collate_fn=loader.collate_fn)


def _is_tensors(source: Any) -> bool:
    """A tuple, list or dictionary of tensors of one length. A list of batches is none."""
    if isinstance(source, Tensor):
        return True
    if not isinstance(source, (tuple, list, dict)) or not tensors_of(source):
        return False
    values = list(source.values()) if isinstance(source, dict) else list(source)
    if not all(isinstance(value, Tensor) for value in values):
        return (
            isinstance(source, tuple)
            and isinstance(values[-1], Tensor)
            and len({len(t) for t in tensors_of(source)}) == 1
        )
    return len({len(value) for value in values if value.dim()}) == 1


def _has_places(source: Any) -> bool:
    return not isinstance(source, IterableDataset) and hasattr(source, "__getitem__") and hasattr(source, "__len__")


def _of_tensors(source: Any, count: int, most: int) -> Rows:
    if not count:
        raise UserError("the data must have at least one row, however there is none")
    most = min(most, _affordable(source, count))
    if count <= most:
        return Rows(count, count, source, (), tuple(range(count)))
    rows = _sample(count, most)
    return Rows(most, count, taken(source, rows, count), (), tuple(rows.tolist()))


def _of_places(source: Any, collate: Any, size: int, most: int, until: float) -> Rows:
    total = len(source)
    if not total:
        raise UserError("the data must have at least one row, however there is none")
    numbers = list(range(total)) if total <= most else _sample(total, most).tolist()
    # Rows that were read when the time is over must be a fair sample of all: read in random order, put in order after.
    order = _sample(len(numbers), len(numbers), ordered=False).tolist()
    read: list[Any] = []
    places: list[int] = []
    step = 1 if _is_slow(source, numbers, read, places, order) else max(1, min(size, _CHUNK))
    while len(read) < len(order) and time.perf_counter() < until:
        for i in order[len(read) : len(read) + step]:
            places.append(numbers[i])
            read.append(source[numbers[i]])
        if len(read) == 2 * _CHUNK or len(read) == step:
            most = min(most, _affordable(read[-1], 1))
        if len(read) >= most:
            break
    sorted_places = sorted(range(len(read)), key=places.__getitem__)
    read, places = [read[i] for i in sorted_places], [places[i] for i in sorted_places]
    batches = [collate(read[i : i + size]) for i in range(0, len(read), size)]
    return _joined(batches, total, tuple(places))


def _is_slow(source: Any, numbers: list[int], read: list[Any], places: list[int], order: list[int]) -> bool:
    """Reads the first row, and says whether the clock must be looked at after each."""
    began = time.perf_counter()
    places.append(numbers[order[0]])
    read.append(source[numbers[order[0]]])
    return time.perf_counter() - began > 1e-3


def _of_batches(source: Any, most: int, until: float, checked: bool = False) -> Rows:
    if not isinstance(source, Iterable):
        raise UserError(
            f"data must be a DataLoader, a Dataset, tensors or batches, however {type(source).__name__} came"
        )
    if not checked and iter_is_self(source):
        raise UserError(
            "data must be readable more than once, however an iterator came: reading it would take its batches away"
        )
    batches: list[Any] = []
    count = 0
    for batch in islice(source, 100_000):
        batches.append(batch)
        count += length(batch)
        if count >= min(most, _affordable(batch, max(1, length(batch)))) or time.perf_counter() > until:
            break
    if not batches:
        raise UserError("the data must have at least one batch, however there is none")
    total = 0
    if isinstance(source, (list, tuple)):
        total = count if len(batches) == len(source) else sum(length(each) for each in source)
    return _joined(batches, total, ())


def iter_is_self(source: Any) -> bool:
    """Whether `source` is a one-shot iterator: reading it takes away what the loop would read."""
    return hasattr(source, "__next__")


def _joined(batches: list[Any], total: int, numbers: tuple[int, ...]) -> Rows:
    count = sum(length(each) for each in batches)
    try:
        batch = joined(batches)
        whole = length(batch) == count and count > 0
    except (ValueError, RuntimeError, TypeError, KeyError):
        whole = False
    if whole:
        return Rows(count, total, batch, (), numbers)
    return Rows(count, total, None, tuple(batches), numbers)


def _affordable(batch: Any, count: int) -> int:
    size = sum(each.numel() * each.element_size() for each in tensors_of(batch)) / max(count, 1)
    return max(1, int(_BYTES / max(size, 1.0)))


def _sample(count: int, size: int, *, ordered: bool = True) -> Tensor:
    """`size` of `count` row numbers, drawn by a generator of its own."""
    chosen = torch.randperm(count, generator=torch.Generator().manual_seed(0))[:size]
    return chosen.sort().values if ordered else chosen
