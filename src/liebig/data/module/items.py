"""Rows of a user's data set, by their numbers.

A data set that gives the same values for the same number, and fits into memory, is read once and kept as stacked tensors:
a batch is then one index operation. Any other is read item by item and put together by the user's own function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten
from torch.utils.data import TensorDataset
from torch.utils.data._utils.collate import default_collate

from liebig.core.errors import UserError

#: Rows that are read twice, to see whether a data set gives the same twice.
_TWICE: Final = 24
#: Rows read at a time while everything is read once.
_CHUNK: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """How a batch of the user's is put together: `spec` of its inputs, which stand before the target in a tuple or a list."""

    spec: TreeSpec
    as_list: bool

    def inputs(self, leaves: Sequence[Tensor]) -> tuple[Any, ...]:
        """The network's positional inputs."""
        return tuple(tree_unflatten(list(leaves), self.spec))

    def batch(self, leaves: Sequence[Tensor], target: Tensor) -> Any:
        """The whole batch as the user's loader gives it."""
        whole = [*self.inputs(leaves), target]
        return whole if self.as_list else tuple(whole)


def taken_apart(batch: Any, name: str) -> tuple[tuple[Tensor, ...], Tensor, Shape]:
    """Tensors of the inputs, the target and how they stand together. Raises UserError for what is no batch of tensors."""
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        raise UserError(f"a batch of {name} must be (inputs, target), however {_told(batch)} came")
    leaves, spec = tree_flatten(tuple(batch[:-1]))
    for leaf in leaves:
        require_tensor(leaf, f"an input of {name}")
    target = batch[-1]
    require_tensor(target, f"the target of {name}")
    rows = {len(each) if each.ndim else -1 for each in (*leaves, target)}
    if len(rows) != 1 or -1 in rows:
        shapes = ", ".join(str(tuple(each.shape)) for each in (*leaves, target))
        raise UserError(
            f"inputs and target of {name} must have one row each for every example, however their shapes are {shapes}"
        )
    return tuple(leaves), target, Shape(spec, isinstance(batch, list))


def require_tensor(value: Any, what: str) -> None:
    """Raise UserError, with the conversion that helps, for what is no tensor."""
    if isinstance(value, Tensor):
        return
    kind = type(value)
    if kind.__module__.startswith("PIL"):
        raise UserError(
            f"{what} must be a tensor, however a PIL picture came; give the data set "
            "transform=torchvision.transforms.ToTensor()"
        )
    if isinstance(value, str) or (isinstance(value, (list, tuple)) and value and isinstance(value[0], str)):
        raise UserError(
            f"{what} must be a tensor, however text came; turn words into numbers first, such as "
            "torch.tensor([vocabulary[word] for word in text.split()])"
        )
    raise UserError(f"{what} must be a tensor, however {_told(value)} came; torch.as_tensor(value) makes one")


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return f"a dictionary of {', '.join(map(str, list(value)[:4]))}"
    if isinstance(value, Tensor):
        return "a single tensor"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return type(value).__name__


class Items(Protocol):
    """Rows by their numbers."""

    @property
    def length(self) -> int: ...

    def batch(self, rows: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """Inputs and target of the rows `rows` int64 [B], each with B rows."""

    def put(self, device: torch.device) -> Items:
        """The same on a device, where it can be kept there."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Rows as stacked tensors."""

    leaves: tuple[Tensor, ...]
    target: Tensor

    @property
    def length(self) -> int:
        return len(self.target)

    def batch(self, rows: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        rows = rows.to(self.target.device)
        return tuple(each.index_select(0, rows) for each in self.leaves), self.target.index_select(0, rows)

    def put(self, device: torch.device) -> Kept:
        if self.target.device == device:
            return self
        return Kept(tuple(each.to(device) for each in self.leaves), self.target.to(device))


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """Rows that are read when they are asked for. `workers` threads read at once."""

    dataset: Any
    collate: Callable[[list[Any]], Any]
    name: str
    workers: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def length(self) -> int:
        return len(self.dataset)

    def batch(self, rows: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        leaves, target, _ = taken_apart(self.raw(rows.tolist()), self.name)
        return tuple(each.to(self.device) for each in leaves), target.to(self.device)

    def raw(self, rows: Sequence[int]) -> Any:
        """The batch as the user's function puts it together. Raises UserError when the data set fails."""
        try:
            if self.workers > 0 and len(rows) > 1:
                with ThreadPoolExecutor(self.workers) as pool:
                    items = list(pool.map(self.dataset.__getitem__, rows))
            else:
                items = [self.dataset[row] for row in rows]
        except UserError:
            raise
        except Exception as error:  # the user's own code runs here
            raise UserError(f"{self.name} failed to give a row ({type(error).__name__}: {error})") from error
        self._look(items[0])
        try:
            return self.collate(items)
        except Exception as error:  # the user's own code, or items of different sizes
            raise UserError(
                f"{len(items)} items of {self.name} could not be put together into a batch "
                f"({type(error).__name__}: {error}); a DataLoader with a collate_fn says how"
            ) from error

    def _look(self, item: Any) -> None:
        """Items that no collate function of torch's takes are told by what they hold."""
        if self.collate is not default_collate:
            return
        if not isinstance(item, (tuple, list)) or len(item) < 2:
            raise UserError(f"an item of {self.name} must be (input, target), however {_told(item)} came")
        for value in item[:-1]:
            if isinstance(value, str) or type(value).__module__.startswith("PIL"):
                require_tensor(value, f"an input of {self.name}")
        if isinstance(item[-1], str):
            require_tensor(item[-1], f"the target of {self.name}")

    def put(self, device: torch.device) -> Read:
        return Read(self.dataset, self.collate, self.name, self.workers, device)


@dataclass(frozen=True, slots=True, eq=False)
class Chained:
    """Several sets of rows, one after another."""

    parts: tuple[Items, ...]
    starts: tuple[int, ...]

    @property
    def length(self) -> int:
        return self.starts[-1]

    def batch(self, rows: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        if len(self.parts) == 1:
            return self.parts[0].batch(rows)
        own = rows.cpu()
        part_of = torch.bucketize(own, torch.tensor(self.starts[1:]), right=True)
        first = int(part_of[0])
        if bool((part_of == first).all()):
            return self.parts[first].batch(rows - self.starts[first])
        leaves: list[list[Tensor]] = []
        targets, places = [], []
        for number in sorted(set(part_of.tolist())):
            at = (part_of == number).nonzero().squeeze(1)
            some, target = self.parts[number].batch(own[at] - self.starts[number])
            leaves.append(list(some))
            targets.append(target)
            places.append(at)
        order = torch.cat(places).argsort().to(targets[0].device)
        try:
            joined = tuple(torch.cat(each)[order] for each in zip(*leaves, strict=True))
            return joined, torch.cat(targets)[order]
        except RuntimeError as error:
            raise UserError(f"rows of different data sets do not go into one batch ({error})") from error

    def put(self, device: torch.device) -> Chained:
        return Chained(tuple(each.put(device) for each in self.parts), self.starts)


def chained(parts: Sequence[Items]) -> Chained:
    """`parts` one after another."""
    starts = [0]
    for each in parts:
        starts.append(starts[-1] + each.length)
    return Chained(tuple(parts), tuple(starts))


def same_twice(items: Read) -> bool:
    """True when some rows, read twice, are the same both times."""
    count = items.length
    rows = sorted({int(each) for each in np.linspace(0, count - 1, min(_TWICE, count))})
    first, second = (items.raw(rows) for _ in range(2))
    return all(_equal(a, b) for a, b in zip(tree_flatten(first)[0], tree_flatten(second)[0], strict=True))


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.shape == b.shape and bool(torch.equal(a.nan_to_num(), b.nan_to_num()))
    return bool(a == b)


def kept(items: Read, most_bytes: int) -> Kept | None:
    """All rows as stacked tensors; None where they differ in shape, would need more than `most_bytes`, or change."""
    dataset = items.dataset
    if type(dataset) is TensorDataset and items.collate is default_collate:
        *leaves, target = dataset.tensors
        return Kept(tuple(leaves), target)
    count = items.length
    leaves_of, target, _ = taken_apart(items.raw(list(range(min(2, count)))), items.name)
    each = sum(one.numel() * one.element_size() for one in (*leaves_of, target)) / max(1, min(2, count))
    if each * count > most_bytes or not same_twice(items):
        return None
    pieces: list[tuple[Tensor, ...]] = []
    for start in range(0, count, _CHUNK):
        leaves_of, target, _ = taken_apart(items.raw(list(range(start, min(start + _CHUNK, count)))), items.name)
        pieces.append((*leaves_of, target))
        if any(a.shape[1:] != b.shape[1:] for a, b in zip(pieces[0], pieces[-1], strict=True)):
            return None
    *stacked, target = (torch.cat(column) for column in zip(*pieces, strict=True))
    return Kept(tuple(stacked), target)
