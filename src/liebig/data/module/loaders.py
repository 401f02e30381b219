"""What a user hands over as data, taken apart: data sets, loaders, tensors, arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
)
from torch.utils.data._utils.collate import default_collate

from liebig.core.errors import UserError
from liebig.data.module.drawing import Sampled, sampled


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """One set of rows as the user gave it. `batch_size` and what follows are None or plain where no loader was given.

    `splits` is False for what must keep the user's own split: an iterable set, or a loader with a sampler of its own, which
    is `sampled`.
    """

    dataset: Any
    collate: Callable[[list[Any]], Any] = default_collate
    batch_size: int | None = None
    shuffles: bool = True
    drop_last: bool = False
    workers: int = 0
    splits: bool = True
    sampled: Sampled | None = None
    notes: tuple[str, ...] = ()


def given(value: Any, name: str) -> Given:
    """Take `value` apart: a Dataset, a DataLoader, or (inputs, target) as tensors or arrays. Raises UserError."""
    if isinstance(value, DataLoader):
        return _loader(value, name)
    if isinstance(value, IterableDataset):
        return Given(_listed(value, name), splits=False, shuffles=False)
    if isinstance(value, (tuple, list)) and len(value) >= 2 and all(_is_array(each) for each in value):
        tensors = [torch.as_tensor(each) for each in value]
        tensors = [each.float() if each.dtype == torch.float64 and i + 1 < len(tensors) else each
                   for i, each in enumerate(tensors)]  # fmt: skip
        rows = {len(each) if each.ndim else 0 for each in tensors}
        if len(rows) != 1:
            told = " and ".join(str(len(each) if each.ndim else 0) for each in tensors)
            raise UserError(f"{name} must have as many targets as inputs, however {told} rows came")
        return _filled(Given(TensorDataset(*tensors)), name)
    if isinstance(value, Tensor):
        raise UserError(f"{name} must be (inputs, target), however a single tensor came")
    if not hasattr(value, "__getitem__") or not hasattr(value, "__len__"):
        raise UserError(
            f"{name} must be a Dataset, a DataLoader or a pair of tensors, however {type(value).__name__} came"
        )
    return _filled(Given(value), name)


def _is_array(value: Any) -> bool:
    return isinstance(value, (Tensor, np.ndarray))


def _filled(found: Given, name: str) -> Given:
    if len(found.dataset) == 0:
        raise UserError(f"{name} must have rows, however it is empty")
    return found


def _loader(loader: DataLoader[Any], name: str) -> Given:
    dataset: Any = loader.dataset
    found = Given(
        dataset, loader.collate_fn, loader.batch_size, drop_last=loader.drop_last, workers=loader.num_workers
    )  # fmt: skip
    if isinstance(dataset, IterableDataset):
        return replace(found, dataset=_listed(dataset, name), splits=False, shuffles=False)
    sampler: Any = loader.sampler
    if loader.batch_size is None:
        batches: Any = loader.batch_sampler
        if type(batches) is BatchSampler:
            sampler = batches.sampler
            found = replace(found, batch_size=batches.batch_size, drop_last=batches.drop_last)
        elif batches is None:
            raise UserError(f"{name} must give batches, however its loader has batch_size=None")
        else:
            return _sampled(_filled(found, name), batches, True, name)
    if type(sampler) is SubsetRandomSampler:
        # A sampler that only says which rows: the rows are a subset, shuffled.
        return _filled(replace(found, dataset=Subset(dataset, list(sampler.indices))), name)
    _filled(found, name)
    if type(sampler) is RandomSampler and not sampler.replacement and sampler.num_samples == len(dataset):
        return found
    if type(sampler) is SequentialSampler:
        return replace(found, shuffles=False)
    return _sampled(found, sampler, False, name)


def _sampled(found: Given, sampler: Any, batches: bool, name: str) -> Given:
    """A loader with a sampler of its own: which rows it has, and how they are drawn. Raises UserError."""
    seen = sampled(sampler, batches, len(found.dataset), name)
    rows, kind = seen.drawing.rows, type(sampler).__name__
    if len(rows) < len(found.dataset):
        found = replace(found, dataset=Subset(found.dataset, rows.tolist()))
    if name != "train":
        note = f"each row of {name} is read once, whatever its sampler ({kind}) draws"
        return replace(found, splits=False, shuffles=False, notes=() if seen.is_once else (note,))
    notes = [f"rows are trained on as your {kind} draws them, without those that are held out"]
    size = seen.sizes[0] if seen.sizes else found.batch_size
    if len(set(seen.sizes[:-1])) > 1 or (seen.sizes and seen.sizes[-1] > seen.sizes[0]):
        notes.append(f"its batches differ in size: rows are taken {size} at a time, in its order")
    return replace(found, splits=False, shuffles=False, batch_size=size, sampled=seen, notes=tuple(notes))


def _listed(dataset: Any, name: str) -> list[Any]:
    """An iterable set, read to its end once. Raises UserError when there is none."""
    items = []
    for item in dataset:
        items.append(item)
        if len(items) > _MOST_ITEMS:
            raise UserError(
                f"{name} is an iterable set that goes on beyond {_MOST_ITEMS:,} rows; give a data set with a length"
            )
    if not items:
        raise UserError(f"{name} must have rows, however it is empty")
    return items


_MOST_ITEMS = 2_000_000


def judged_as(dataset: Any, like: Any) -> Any:
    """`dataset` read with the transforms of `like`, where both have a `transform` that can be exchanged; else itself."""
    if isinstance(dataset, Subset):
        inner = judged_as(dataset.dataset, like)
        return dataset if inner is dataset.dataset else Subset(inner, dataset.indices)
    while isinstance(like, Subset):
        like = like.dataset
    if type(dataset) is not type(like) or dataset is like:
        return dataset
    names = [each for each in ("transform", "transforms") if hasattr(dataset, each) and hasattr(like, each)]
    if not names or all(getattr(dataset, each) is getattr(like, each) for each in names):
        return dataset
    copied = _shallow(dataset)
    for each in names:
        setattr(copied, each, getattr(like, each))
    return copied


def _shallow(dataset: Any) -> Any:
    copied = object.__new__(type(dataset))
    copied.__dict__.update(dataset.__dict__)
    return copied
