"""A fitted algorithm as data: plain values and arrays, from which the same algorithm is made again. Never pickled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What a fitted algorithm consists of: `kind` names what it is made again by, `plain` holds JSON values, `arrays` numbers of types
    that safetensors knows (float32, float64, int32, int64, uint8, bool)."""

    kind: str
    plain: Mapping[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


def joined(name: str, parts: Sequence[NDArray[Any]], empty: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Arrays of unequal lengths as one, with their lengths beside it. `empty` has the type where there are none."""
    return {
        name: np.concatenate([empty, *parts]),
        f"{name}.lengths": np.array([len(each) for each in parts], dtype=np.int64),
    }


def parted(name: str, arrays: Arrays) -> list[NDArray[Any]]:
    """The inverse of `joined`. Raises ValueError when the lengths do not add up."""
    whole, lengths = arrays[name], arrays[f"{name}.lengths"]
    if len(lengths) and (lengths.min() < 0 or lengths.sum() != len(whole)):
        raise ValueError(f'the lengths of "{name}" were to add up to {len(whole)}, however {lengths.sum()} came')
    return list(np.split(whole, np.cumsum(lengths)[:-1])) if len(lengths) else []


def within(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Arrays under names that begin with `prefix`."""
    return {f"{prefix}.{name}": each for name, each in arrays.items()}


def beneath(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The inverse of `within`."""
    start = f"{prefix}."
    return {name[len(start) :]: each for name, each in arrays.items() if name.startswith(start)}
