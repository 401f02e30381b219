"""The feed: batches of a population's blocks, on the device.

Where all blocks' dense inputs fit in `cached_bytes`, they are encoded once and a batch is one index operation; else the
compact columns are kept and each batch is expanded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from liebig.core.task import Task
from liebig.data.table.content import TableData
from liebig.data.table.encoder import Compact, Encoder
from liebig.stack.batch import Batch
from liebig.stack.specs import Signature

#: Dense inputs of all blocks are kept when they need at most this.
CACHED_BYTES: Final = 512 << 20
_PIECE: Final = 8192  # rows encoded at a time, so that what is made in between stays small


@dataclass(frozen=True, slots=True, eq=False)
class _BlockFeed:
    """One block. Either `dense` [rows, dense] is there, or each batch is expanded from `compact`. `target` float32 [rows]."""

    encoder: Encoder
    compact: Compact
    dense: Tensor | None
    target: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """Batches for G blocks, whose encoders have one signature."""

    blocks: tuple[_BlockFeed, ...]
    weight: Tensor | None
    device: torch.device
    dtype: torch.dtype

    @property
    def signature(self) -> Signature:
        """What enters the network."""
        return self.blocks[0].encoder.signature

    @property
    def groups(self) -> int:
        """Number of blocks, G."""
        return len(self.blocks)

    @property
    def bytes(self) -> int:
        """What the feed holds on the device."""
        dense = sum(0 if each.dense is None else each.dense.numel() * each.dense.element_size() for each in self.blocks)
        return dense + sum(each.compact.bytes + each.target.numel() * 4 for each in self.blocks)

    def batch(self, rows: Tensor) -> Batch:
        """The rows `rows` (int64 [G, B], row numbers of the task): row g for block g."""
        parts = [self._dense(each, own) for each, own in zip(self.blocks, rows, strict=True)]
        wants = self.blocks[0].encoder.wants
        return Batch(
            dense=_stacked(parts),
            target=_stacked([each.target.index_select(0, own) for each, own in zip(self.blocks, rows, strict=True)]),
            numbers=_stacked([each.compact.numbers.index_select(0, own).to(self.dtype)
                              for each, own in zip(self.blocks, rows, strict=True)]) if wants.numbers else None,
            codes=_stacked([each.compact.codes.index_select(0, own).long()
                            for each, own in zip(self.blocks, rows, strict=True) if each.compact.codes is not None])
            if wants.codes else None,
            weight=None if self.weight is None else self.weight[rows],
        )  # fmt: skip

    def keeping(self, groups: Sequence[int]) -> Feed:
        """The feed of these blocks only, in this order."""
        return replace(self, blocks=tuple(self.blocks[group] for group in groups))

    def _dense(self, block: _BlockFeed, rows: Tensor) -> Tensor:
        if block.dense is not None:
            return block.dense.index_select(0, rows)
        return block.encoder.expand(block.compact.at(rows), self.dtype)


def feed(
    task: Task[TableData], encoders: Sequence[Encoder], device: torch.device | str, dtype: torch.dtype,
    cached_bytes: int = CACHED_BYTES,
) -> Feed:  # fmt: skip
    """The feed of a population's blocks, one encoder each.

    Raises ValueError when their signatures differ: they cannot share a population.
    """
    if len({each.signature for each in encoders}) != 1:
        raise ValueError("the encoders of a feed must have one signature, however they differ")
    device = torch.device(device)
    size = task.rows * encoders[0].signature.dense * torch.empty(0, dtype=dtype).element_size()
    cached = len(encoders) * size <= cached_bytes
    weight = None if task.weights is None else torch.from_numpy(task.weights).float().to(device)
    return Feed(tuple(_block_feed(task, each, device, dtype, cached) for each in encoders), weight, device, dtype)


def _block_feed(
    task: Task[TableData], encoder: Encoder, device: torch.device, dtype: torch.dtype, cached: bool
) -> _BlockFeed:
    compact = encoder.compact(task.data.without(encoder.inputs.without).raw, device)
    if encoder.held_out is not None:
        start = compact.extras.shape[1] - encoder.held_out.values.shape[1]
        own = torch.from_numpy(encoder.held_out.rows).to(device)
        compact.extras[own, start:] = torch.from_numpy(encoder.held_out.values).to(device)
    target = torch.from_numpy(encoder.target_to_model(task.target)).to(device)
    if not cached:
        return _BlockFeed(encoder, compact, None, target)
    dense = torch.empty(task.rows, encoder.signature.dense, dtype=dtype, device=device)
    for start in range(0, task.rows, _PIECE):
        piece = torch.arange(start, min(start + _PIECE, task.rows), device=device)
        dense[start : start + _PIECE] = encoder.expand(compact.at(piece), dtype)
    return _BlockFeed(encoder, _remaining(compact, encoder), dense, target)


def _remaining(compact: Compact, encoder: Encoder) -> Compact:
    """What is still needed of the compact columns beside the dense inputs."""
    empty = compact.numbers.new_zeros(0, 0)
    return Compact(
        compact.numbers if encoder.wants.numbers else empty, empty, empty.int(),
        compact.codes if encoder.wants.codes else None, empty,
    )  # fmt: skip


def _stacked(parts: Sequence[Tensor]) -> Tensor:
    return parts[0][None] if len(parts) == 1 else torch.stack(list(parts))
