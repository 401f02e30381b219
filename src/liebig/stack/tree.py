"""Members leave a stack: one function that shrinks any value whose tensors lead with K."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


def keep_members(value: T, keep: Tensor) -> T:
    """`value` with only the members `keep` [k] int64.

    Tensors are indexed on their leading dimension; dataclasses, mappings, tuples and lists are walked; other values stay.
    A stage or state may hold only tensors that lead with K.
    """
    return _walk(value, keep)  # type: ignore[no-any-return]  # the walk returns what it was given, member-wise smaller


def _walk(value: Any, keep: Tensor) -> Any:
    if isinstance(value, Tensor):
        return value[keep]
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _walk(getattr(value, f.name), keep) for f in fields(value) if f.init}
        return replace(value, **changed)
    if isinstance(value, Mapping):
        return {name: _walk(inner, keep) for name, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(_walk(inner, keep) for inner in value)
    if isinstance(value, list):
        return [_walk(inner, keep) for inner in value]
    return value


def scalars(records: Any, name: str, device: torch.device | str = "cpu") -> Tensor:
    """The field `name` of K records as a float32 vector [K] on `device`. `name` may be dotted."""

    def read(record: Any) -> float:
        for part in name.split("."):
            record = getattr(record, part)
        return float(record)

    return torch.tensor([read(record) for record in records], dtype=torch.float32, device=device)
