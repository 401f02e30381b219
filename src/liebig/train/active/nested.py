"""Batches are nested: tuples, dictionaries, named tuples of tensors. Functions over such a structure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


def tensors_of(batch: Any) -> list[Tensor]:
    """All tensors in `batch`, in order."""
    if isinstance(batch, Tensor):
        return [batch]
    if isinstance(batch, Mapping):
        return [each for value in batch.values() for each in tensors_of(value)]
    if isinstance(batch, (list, tuple)):
        return [each for value in batch for each in tensors_of(value)]
    return []


def mapped(change: Callable[[Tensor], Tensor], batch: Any) -> Any:
    """`batch` with `change` made to each of its tensors; what is no tensor stays."""
    if isinstance(batch, Tensor):
        return change(batch)
    if isinstance(batch, Mapping):
        return _like(batch, {key: mapped(change, value) for key, value in batch.items()})
    if isinstance(batch, (list, tuple)):
        return _as(batch, [mapped(change, value) for value in batch])
    return batch


def to_device(batch: Any, device: torch.device) -> Any:
    """`batch` on `device`."""
    return mapped(lambda each: each if each.device == device else each.to(device), batch)


def length(batch: Any) -> int:
    """The number of examples in `batch`: the first dimension of its first tensor that has one, 0 where there is none."""
    return next((len(each) for each in tensors_of(batch) if each.dim()), 0)


def joined(batches: Sequence[Any]) -> Any:
    """Batches of the same structure as one.

    Raises ValueError or RuntimeError where their structures or the shapes of their rows differ.
    """
    first = batches[0]
    if isinstance(first, Tensor):
        if first.layout is not torch.strided or not first.dim():
            raise ValueError("only dense tensors with a batch dimension can be joined")
        return torch.cat(list(batches)) if len(batches) > 1 else first
    if isinstance(first, Mapping):
        return _like(first, {key: joined([each[key] for each in batches]) for key in first})
    if isinstance(first, tuple):
        return _as(first, [joined(list(parts)) for parts in zip(*batches, strict=True)])
    if isinstance(first, list):
        if any(tensors_of(value) for value in first):
            return [joined(list(parts)) for parts in zip(*batches, strict=True)]
        return [value for each in batches for value in each]  # words, names: one for each row
    return first


def taken(batch: Any, rows: Tensor, count: int) -> Any:
    """The rows `rows` (indices [n]) of a batch of `count` examples."""
    if isinstance(batch, Tensor):
        return batch[rows.to(batch.device)] if batch.dim() and len(batch) == count else batch
    if isinstance(batch, Mapping):
        return _like(batch, {key: taken(value, rows, count) for key, value in batch.items()})
    if isinstance(batch, (list, tuple)):
        if len(batch) == count and not any(tensors_of(value) for value in batch):
            return [batch[i] for i in rows.tolist()]
        return _as(batch, [taken(value, rows, count) for value in batch])
    return batch


def _like(batch: Mapping[Any, Any], values: dict[Any, Any]) -> Any:
    """`values` in the mapping's own kind, which models may rely on, where it can be made of a dictionary."""
    if type(batch) is dict:
        return values
    try:
        return type(batch)(values)  # type: ignore[call-arg]  # a mapping's constructor is not part of its protocol
    except TypeError:
        return values


def _as(batch: Any, values: list[Any]) -> Any:
    if hasattr(batch, "_fields"):
        return type(batch)(*values)
    return tuple(values) if isinstance(batch, tuple) else values
