"""Rows of a user's data set, by their numbers.

A data set that gives the same values for the same number, and fits into memory, is read once and kept as stacked tensors:
a batch is then one index operation. Any other is read item by item and put together by the user's own function.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten
from torch.utils.data import TensorDataset
from torch.utils.data._utils.collate import default_collate

from liebig.core.errors import UserError, did_you_mean

#: Rows that are read twice, to see whether a data set gives the same twice.
_TWICE: Final = 24
#: Rows read at a time while everything is read once.
_CHUNK: Final = 256


#: Names of the entry of a dictionary that is the target, where the user names none.
_TARGETS: Final = ("target", "targets", "label", "labels", "y")


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """How a batch of the user's is put together. `whole` is the structure of all of it and `target_at` the place of the target
    among its tensors; `spec` is that of the network's positional inputs, which take the tensors `picks` of those that are no
    target. `names` are the entries of a dictionary that are handed over one by one, in the order of the network's own
    parameters; empty where the network takes what stands before the target as it is. `blank` stands in the place of the target,
    by its name, for a network that takes the whole dictionary: what it answers must not depend on it."""

    whole: TreeSpec
    target_at: int
    spec: TreeSpec
    picks: tuple[int, ...]
    names: tuple[str, ...] = ()
    blank: tuple[str, Tensor] | None = None

    def inputs(self, leaves: Sequence[Tensor]) -> tuple[Any, ...]:
        """The network's positional inputs."""
        found = tuple(tree_unflatten([leaves[place] for place in self.picks], self.spec))
        if self.blank is None:
            return found
        key, row = self.blank
        return ({**found[0], key: row.to(leaves[0].device).expand(len(leaves[0]), *row.shape[1:])},)

    def batch(self, leaves: Sequence[Tensor], target: Tensor) -> Any:
        """The whole batch as the user's loader gives it."""
        rest = list(leaves)
        return tree_unflatten([*rest[: self.target_at], target, *rest[self.target_at :]], self.whole)

    @property
    def is_plain(self) -> bool:
        """True for tensors one after another, the target last."""
        return not self.names and all(each.is_leaf() for each in self.whole.children())


def taken_apart(batch: Any, name: str, target_name: str | None = None) -> tuple[tuple[Tensor, ...], Tensor, Shape]:
    """Tensors of the inputs, the target and how they stand together: (inputs..., target), or a dictionary whose entry
    `target_name` is the target (one of the usual names where None). Raises UserError for what is no batch of tensors."""
    given, held = _parts_of(batch, name, target_name)
    leaves, spec = tree_flatten(given)
    for leaf in leaves:
        require_tensor(leaf, f"an input of {name}")
    require_tensor(held, f"the target of {name}")
    rows = {len(each) if each.ndim else -1 for each in (*leaves, held)}
    if len(rows) != 1 or -1 in rows:
        shapes = ", ".join(str(tuple(each.shape)) for each in (*leaves, held))
        raise UserError(
            f"inputs and target of {name} must have one row each for every example, however their shapes are {shapes}"
        )
    everything, whole = tree_flatten(batch)
    place = next(i for i, each in enumerate(everything) if each is held)
    if not isinstance(batch, Mapping):
        place = len(everything) - 1  # one tensor may well be both input and target
    return tuple(leaves), held, Shape(whole, place, spec, tuple(range(len(leaves))))


def _parts_of(batch: Any, name: str, target_name: str | None) -> tuple[tuple[Any, ...], Any]:
    """What stands before the target, as positional inputs, and the target."""
    if isinstance(batch, Mapping):
        key = target_key(batch, name, target_name)
        return ({each: value for each, value in batch.items() if each != key},), batch[key]
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        raise UserError(
            f"a batch of {name} must be (inputs, target), or a dictionary with an entry for the target, "
            f"however {_told(batch)} came"
        )
    return tuple(batch[:-1]), batch[-1]


def target_key(item: Mapping[Any, Any], name: str, target_name: str | None) -> Any:
    """The entry that is the target. Raises UserError where that is not clear."""
    if target_name is not None:
        if target_name in item:
            return target_name
        raise UserError(
            f"{name} must have an entry {target_name!r}, which is the target, however {_told(item)} came"
            + did_you_mean(target_name, list(map(str, item)))
        )
    found = [each for each in item if str(each).casefold() in _TARGETS]
    if len(found) == 1 and len(item) > 1:
        return found[0]
    raise UserError(
        f"one entry of {name} must be the target: call it 'target', 'label' or 'y', or say target=\"...\", "
        f"however {_told(item)} came"
    )


def arrangements(shape: Shape, network: nn.Module, batch: Any, target: Tensor, name: str) -> Sequence[Shape]:
    """How the network may be handed what stands before the target, likeliest first. A dictionary: ``network(**inputs)`` where
    its ``forward`` bears the names of the entries, else ``network(inputs)``, ``network(batch)`` with a blank target, or its
    only entry. Raises UserError for entries that do not fill ``forward`` from its first parameter on."""
    given = tree_unflatten(list(range(len(shape.picks))), shape.spec)
    if len(given) != 1 or not isinstance(given[0], Mapping) or not all(isinstance(key, str) for key in given[0]):
        return (shape,)
    entries = given[0]
    known = list(inspect.signature(network.forward).parameters.values())
    plain = [each for each in known if each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD}]
    there = [each.name for each in plain if each.name in entries]
    needed = [each.name for each in plain if each.default is each.empty and each.name not in entries]
    if not there:
        found = [shape]
        if isinstance(batch, Mapping):
            key = next(each for each, value in batch.items() if value is target)
            found.append(replace(shape, blank=(key, torch.zeros_like(target[:1]))))
        if len(entries) == 1:
            found.append(_by_names(shape, entries, list(entries)))
        return found
    if needed or there != [each.name for each in plain[: len(there)]]:
        takes = ", ".join(each.name for each in plain)
        raise UserError(
            f"a batch of {name} must fill the network's forward({takes}) from the first parameter on, however it has the "
            f"entries {', '.join(entries)}"
        )
    return (_by_names(shape, entries, there),)


def _by_names(shape: Shape, entries: Mapping[str, Any], names: Sequence[str]) -> Shape:
    """The entries `names`, one by one. Others are read along (a step of the user's own may use them), not handed over."""
    places, spec = tree_flatten(tuple(entries[each] for each in names))
    return replace(shape, spec=spec, picks=tuple(places), names=tuple(names))


def require_tensor(value: Any, what: str) -> None:
    """Raise UserError, with the conversion that helps, for what is no tensor."""
    if isinstance(value, Tensor):
        if value.is_meta:
            raise UserError(f"{what} must have values, however it lies on the meta device")
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
    if isinstance(value, Mapping):
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
    """Rows that are read when they are asked for. `workers` threads read at once; `target` names the entry of a dictionary that
    is the target."""

    dataset: Any
    collate: Callable[[list[Any]], Any]
    name: str
    workers: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    target: str | None = None

    @property
    def length(self) -> int:
        return len(self.dataset)

    def batch(self, rows: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        leaves, target, _ = taken_apart(self.raw(rows.tolist()), self.name, self.target)
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
        if not isinstance(item, Mapping) and (not isinstance(item, (tuple, list)) or len(item) < 2):
            raise UserError(
                f"an item of {self.name} must be (input, target), or a dictionary with an entry for the target, "
                f"however {_told(item)} came"
            )
        given, target = _parts_of(item, self.name, self.target)
        for value in tree_flatten(given)[0]:
            if isinstance(value, str) or type(value).__module__.startswith("PIL"):
                require_tensor(value, f"an input of {self.name}")
        if isinstance(target, str):
            require_tensor(target, f"the target of {self.name}")

    def put(self, device: torch.device) -> Read:
        return replace(self, device=device)


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
        """The same on a device. Beside the processor sets that are kept as tensors become one: asking which of them a row is
        from would wait for the device in every step."""
        whole = _joined(self.parts, device) if device.type != "cpu" else None
        if whole is not None:
            return Chained((whole,), (0, self.length))
        return Chained(tuple(each.put(device) for each in self.parts), self.starts)


def _joined(parts: Sequence[Items], device: torch.device) -> Kept | None:
    """Sets of tensors as one set on `device`; None where one is read row by row, or their rows differ in form."""
    some = [each for each in parts if isinstance(each, Kept)]
    forms = {tuple((leaf.shape[1:], leaf.dtype) for leaf in (*each.leaves, each.target)) for each in some}
    if len(some) < len(parts) or len(forms) != 1:
        return None
    if len(some) == 1:
        return some[0].put(device)
    leaves = tuple(
        torch.cat([each.to(device) for each in column]) for column in zip(*(each.leaves for each in some), strict=True)
    )
    return Kept(leaves, torch.cat([each.target.to(device) for each in some]))


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
    leaves_of, target, _ = taken_apart(items.raw(list(range(min(2, count)))), items.name, items.target)
    each = sum(one.numel() * one.element_size() for one in (*leaves_of, target)) / max(1, min(2, count))
    if each * count > most_bytes or not same_twice(items):
        return None
    pieces: list[tuple[Tensor, ...]] = []
    for start in range(0, count, _CHUNK):
        some = items.raw(list(range(start, min(start + _CHUNK, count))))
        leaves_of, target, _ = taken_apart(some, items.name, items.target)
        pieces.append((*leaves_of, target))
        if any(a.shape[1:] != b.shape[1:] for a, b in zip(pieces[0], pieces[-1], strict=True)):
            return None
    *stacked, target = (torch.cat(column) for column in zip(*pieces, strict=True))
    return Kept(tuple(stacked), target)
