"""What augmentations of pictures share: places of a batch [K, B, channels, height, width] read anew, channels last in memory."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.stack.batch import Batch
from liebig.techniques.batches.rows import groups_of


def needs_pictures(record: Settings, recipe: Recipe) -> str | None:
    """Why an augmentation of pictures cannot stand in this recipe, or None."""
    if recipe.inputs.kind != "pictures":
        return f"technique {record.kind} changes pictures, however the inputs are of kind {recipe.inputs.kind}"
    return None


def of_members(batch: Batch, members: int, pictures: Tensor) -> Batch:
    """The batch with a picture of its own for each member: `pictures` [K, B, channels, height, width]."""
    if batch.member_group is None and batch.target.shape[0] == members:
        return replace(batch, dense=pictures)
    groups = groups_of(batch, members)
    return replace(
        batch, dense=pictures, target=batch.target[groups],
        weight=None if batch.weight is None else batch.weight[groups], member_group=None,
        rows=None if batch.rows is None else batch.rows[groups],
    )  # fmt: skip


def read_at(batch: Batch, rows: Tensor, columns: Tensor) -> Tensor:
    """The pictures of each member with places exchanged: what stands at (i, j) is read from row `rows` [K, B, height] and
    column `columns` [K, B, width] of the picture. Answers [K, B, channels, height, width]."""
    members, count, height = rows.shape
    width, channels = columns.shape[2], batch.dense.shape[2]
    across = batch.dense.shape[4]
    picture = groups_of(batch, members)[:, None] * count + torch.arange(count, device=rows.device)
    first = picture * (batch.dense.shape[3] * across)
    place = first[:, :, None, None] + rows[:, :, :, None] * across + columns[:, :, None, :]
    flat = batch.dense.permute(0, 1, 3, 4, 2).reshape(-1, channels)
    found = flat.index_select(0, place.reshape(-1)).view(members, count, height, width, channels)
    return found.permute(0, 1, 4, 2, 3)


def own_pictures(batch: Batch, members: int) -> Tensor:
    """The pictures that each member reads, [K, B, channels, height, width]: the batch's own where each has its own."""
    if batch.member_group is None and batch.dense.shape[0] == members:
        return batch.dense
    if members == 1:
        return batch.dense[:1]
    return batch.dense.permute(0, 1, 3, 4, 2)[groups_of(batch, members)].permute(0, 1, 4, 2, 3)


def reflected(place: Tensor, size: int) -> Tensor:
    """Places outside 0..size-1 mirrored at the edge, which itself is not repeated."""
    last = size - 1
    if last == 0:
        return torch.zeros_like(place)
    return last - (last - place.abs()).abs()
