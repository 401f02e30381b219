"""What augmentations of sequences share: batches [K, B, steps, channels] whose last channel is 1 where a step is."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.stack.batch import Batch
from liebig.techniques.batches.rows import groups_of


def reads_steps(recipe: Recipe) -> bool:
    """True where the inputs are the steps of sequences."""
    return recipe.inputs.kind == "sequences" and getattr(recipe.inputs, "read", "steps") == "steps"


def needs_steps(record: Settings, recipe: Recipe) -> str | None:
    """Why an augmentation of sequences cannot stand in this recipe, or None."""
    if recipe.inputs.kind != "sequences":
        return f"technique {record.kind} changes sequences, however the inputs are of kind {recipe.inputs.kind}"
    if not reads_steps(recipe):
        return f"technique {record.kind} changes the steps of sequences, however the inputs are their summaries"
    return None


def mixes_steps(record: Settings, recipe: Recipe) -> str | None:
    """Why what mixes or moves all values alike cannot stand beside the steps of sequences, or None."""
    if reads_steps(recipe):
        return (
            f"technique {record.kind} would change which steps there are, however the inputs are the steps of sequences"
        )
    return None


def own_sequences(batch: Batch, members: int) -> Tensor:
    """The sequences that each member reads, [K, B, steps, channels]."""
    if batch.member_group is None and batch.dense.shape[0] == members:
        return batch.dense
    return batch.dense[groups_of(batch, members)]


def of_members(batch: Batch, members: int, sequences: Tensor) -> Batch:
    """The batch with sequences of its own for each member: `sequences` [K, B, steps, channels]."""
    if batch.member_group is None and batch.target.shape[0] == members:
        return replace(batch, dense=sequences)
    groups = groups_of(batch, members)
    return replace(
        batch, dense=sequences, target=batch.target[groups],
        weight=None if batch.weight is None else batch.weight[groups], member_group=None,
    )  # fmt: skip


def lengths_of(sequences: Tensor) -> Tensor:
    """Steps of each sequence, float32 [K, B]."""
    return sequences[..., -1].sum(dim=2, dtype=torch.float32)


def read_at(sequences: Tensor, places: Tensor) -> Tensor:
    """Sequences read at other places, [K, B, steps, channels]: what stands at step i is read between the two steps next to `places`
    float32 [K, B, steps], which lie within the sequence. The last channel is left to the caller."""
    below = places.floor()
    share = (places - below).to(sequences.dtype)[..., None]
    first = below.long()[..., None].expand(-1, -1, -1, sequences.shape[3])
    second = (first + 1).clamp(max=sequences.shape[2] - 1)
    return sequences.gather(2, first) * (1 - share) + sequences.gather(2, second) * share
