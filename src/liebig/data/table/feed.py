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
from liebig.data.table.content import Raw, TableData
from liebig.data.table.encoder import Compact, Encoder
from liebig.stack.batch import Batch
from liebig.stack.specs import Signature

#: Dense inputs of all blocks are kept when they need at most this.
CACHED_BYTES: Final = 256 << 20
_PIECE: Final = 8192  # rows encoded at a time, so that what is made in between stays small


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """Batches for G blocks, whose encoders have one signature.

    The rows of all blocks lie one after another: block b's row r is at ``b * rows + r``. `dense` [blocks * rows, dense] or
    None when batches are expanded from `compact`. `target` float32 [blocks * rows], `weight` float32 [rows] or None.
    `offsets` int64 [G, 1] says where each group's block begins. `unlabelled` are the values of rows that have no target, and
    `encoders` those of the groups, which read them once they are wanted.
    """

    encoder: Encoder
    compact: Compact
    dense: Tensor | None
    target: Tensor
    weight: Tensor | None
    offsets: Tensor
    dtype: torch.dtype
    encoders: tuple[Encoder, ...] = ()
    unlabelled: Raw | None = None

    @property
    def signature(self) -> Signature:
        """What enters the network."""
        return self.encoder.signature

    @property
    def groups(self) -> int:
        """Number of blocks, G."""
        return len(self.offsets)

    @property
    def bytes(self) -> int:
        """What the feed holds on the device."""
        dense = 0 if self.dense is None else self.dense.numel() * self.dense.element_size()
        return dense + self.compact.bytes + self.target.numel() * self.target.element_size()

    def batch(self, rows: Tensor) -> Batch:
        """The rows `rows` (int64 [G, B], row numbers of the task): row g for block g."""
        index = (rows + self.offsets).reshape(-1)
        wants = self.encoder.wants

        def grouped(values: Tensor) -> Tensor:
            return values.view(*rows.shape, *values.shape[1:])

        if self.dense is None:
            dense = self.encoder.expand(self.compact.at(index), self.dtype)
        else:
            dense = self.dense.index_select(0, index)
        return Batch(
            dense=grouped(dense),
            target=grouped(self.target.index_select(0, index)),
            numbers=grouped(self.compact.numbers.index_select(0, index).to(self.dtype)) if wants.numbers else None,
            codes=None if self.compact.codes is None else grouped(self.compact.codes.index_select(0, index).long()),
            weight=None if self.weight is None else self.weight[rows],
        )

    def judging(self, rows: Tensor) -> Batch:
        """The same: rows of a table are judged as they are trained on."""
        return self.batch(rows)

    def keeping(self, groups: Sequence[int]) -> Feed:
        """The feed of these blocks only, in this order; nothing is copied."""
        own = list(groups)
        return replace(self, offsets=self.offsets[own], encoders=tuple(self.encoders[i] for i in own))

    def with_unlabelled(self) -> InputFeed:
        """What pretraining reads: the rows, and those that have no target behind them."""
        rows = len(self.target) // len(self.encoders)
        if self.unlabelled is None:
            return InputFeed(self, None, rows, rows)
        device, count = self.target.device, self.unlabelled.rows
        compact = _joined([each.compact(self.unlabelled, device) for each in self.encoders])
        offsets = torch.arange(len(self.encoders), device=device)[:, None] * count
        none = torch.zeros(len(self.encoders) * count, device=device)
        beyond = replace(self, compact=compact, dense=None, target=none, weight=None, offsets=offsets, unlabelled=None)
        return InputFeed(self, beyond, rows, rows + count)


@dataclass(frozen=True, slots=True, eq=False)
class InputFeed:
    """The inputs of `rows` rows: the `labelled` ones first, then those `beyond`, which have no target."""

    own: Feed
    beyond: Feed | None
    labelled: int
    rows: int

    def inputs(self, rows: Tensor) -> Batch:
        """The rows `rows` (int64 [G, B]): row g for block g. Targets mean nothing."""
        if self.beyond is None:
            return self.own.batch(rows)
        here = self.own.batch(rows.clamp(max=self.labelled - 1))
        there = self.beyond.batch((rows - self.labelled).clamp(min=0))
        has_target = (rows < self.labelled)[:, :, None]
        return Batch(
            torch.where(has_target, here.dense, there.dense), here.target,
            None if here.numbers is None or there.numbers is None else torch.where(has_target, here.numbers, there.numbers),
            None if here.codes is None or there.codes is None else torch.where(has_target, here.codes, there.codes),
        )  # fmt: skip


def feed(
    task: Task[TableData], encoders: Sequence[Encoder], device: torch.device | str, dtype: torch.dtype,
    cached_bytes: int = CACHED_BYTES,
) -> Feed:  # fmt: skip
    """The feed of a population's blocks, one encoder each.

    Raises ValueError when their signatures differ: they cannot share a population.
    """
    if len({each.signature for each in encoders}) != 1:
        raise ValueError("the encoders of a feed must have one signature, however they differ")
    device, first = torch.device(device), encoders[0]
    total = len(encoders) * task.rows
    dense: Tensor | None = None
    if total * first.signature.dense * torch.empty(0, dtype=dtype).element_size() <= cached_bytes:
        dense = torch.empty(total, first.signature.dense, dtype=dtype, device=device)
    blocks = []
    for place, each in enumerate(encoders):
        block = _compact(task, each, device)
        if dense is not None:  # one block's compact columns at a time beside the dense inputs of all
            _expand(first, block, dense[place * task.rows : (place + 1) * task.rows])
            block = _beside_dense(block, first)
        blocks.append(block)
    compact = _joined(blocks)
    return Feed(
        encoder=first, compact=compact, dense=dense,
        target=torch.cat([torch.from_numpy(each.target_to_model(task.target)) for each in encoders]).to(device),
        weight=None if task.weights is None else torch.from_numpy(task.weights).float().to(device),
        offsets=torch.arange(len(encoders), device=device)[:, None] * task.rows, dtype=dtype,
        encoders=tuple(encoders), unlabelled=task.data.without(first.inputs.without).unlabelled,
    )  # fmt: skip


def _expand(encoder: Encoder, compact: Compact, into: Tensor) -> None:
    """Fill `into` [rows, dense] with the dense inputs of all rows."""
    for start in range(0, len(into), _PIECE):
        piece = torch.arange(start, min(start + _PIECE, len(into)), device=into.device)
        into[start : start + _PIECE] = encoder.expand(compact.at(piece), into.dtype)


def _compact(task: Task[TableData], encoder: Encoder, device: torch.device) -> Compact:
    """All rows of the task, as `encoder` sees them; its own training rows do not see their own target."""
    compact = encoder.compact(task.data.without(encoder.inputs.without).raw, device)
    if encoder.held_out is not None:
        start = compact.extras.shape[1] - encoder.held_out.values.shape[1]
        own = torch.from_numpy(encoder.held_out.rows).to(device)
        compact.extras[own, start:] = torch.from_numpy(encoder.held_out.values).to(device)
    return compact


def _joined(blocks: Sequence[Compact]) -> Compact:
    if len(blocks) == 1:
        return blocks[0]
    codes = [each.codes for each in blocks if each.codes is not None]
    return Compact(
        numbers=torch.cat([each.numbers for each in blocks]), positions=torch.cat([each.positions for each in blocks]),
        slots=torch.cat([each.slots for each in blocks]), codes=torch.cat(codes) if codes else None,
        extras=torch.cat([each.extras for each in blocks]),
    )  # fmt: skip


def _beside_dense(compact: Compact, encoder: Encoder) -> Compact:
    """What is still needed of the compact columns beside the dense inputs."""
    empty = compact.numbers.new_zeros(0, 0)
    return Compact(compact.numbers if encoder.wants.numbers else empty, empty, empty.int(), compact.codes, empty)
