"""Batches whose blocks differ in length: rows of equal length together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Rows int64 [len(groups), B] of some of the blocks."""

    groups: list[int]
    rows: Tensor


def pieces_of(parts: Sequence[Tensor]) -> list[Piece]:
    """Parts of equal length together."""
    by_length: dict[int, list[int]] = {}
    for group, part in enumerate(parts):
        if len(part):
            by_length.setdefault(len(part), []).append(group)
    return [Piece(groups, torch.stack([parts[group] for group in groups])) for groups in by_length.values()]
