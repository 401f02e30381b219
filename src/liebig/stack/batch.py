"""A batch of a stack."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows for all members of a population.

    The leading dimension is G, the number of blocks, while members of one block share their rows, or K once a technique
    has given each member rows of its own (mixup). `member_group` [K] int64 says which of the G each member reads; None when
    the leading dimension already is K. Tensors are on the device, floats in the compute precision:
    `dense` [G, B, dense]; `numbers` [G, B, numbers] or None; `codes` [G, B, len(levels)] int64 or None;
    `target` [G, B] (float32 class codes or numbers as the objective sees them), or [G, B, classes] once mixed;
    `weight` [G, B] float32 or None. Pictures are `dense` [G, B, channels, height, width], channels last in memory; sequences
    [G, B, steps, channels]. For a
    user's own network `dense` is its first input as it came, of any type and shape
    [G, B, ...], and `others` are the further ones. `rows` [G, B] int64 says which rows of the task pictures are, where that is
    known; None once they are blends.
    """

    dense: Tensor
    target: Tensor
    numbers: Tensor | None = None
    codes: Tensor | None = None
    weight: Tensor | None = None
    member_group: Tensor | None = None
    others: tuple[Tensor, ...] = ()
    rows: Tensor | None = None


def of_members(batch: Batch, group: Tensor) -> Batch:
    """`batch` with rows of its own for each member: member k's are those of group ``group[k]``."""

    def own(value: Tensor | None) -> Tensor | None:
        return None if value is None else value[group]

    return replace(
        batch, dense=batch.dense[group], target=batch.target[group], numbers=own(batch.numbers), codes=own(batch.codes),
        weight=own(batch.weight), member_group=None, others=tuple(each[group] for each in batch.others), rows=own(batch.rows),
    )  # fmt: skip


def for_members(value: Tensor, member_group: Tensor | None) -> Tensor:
    """`value` [G, ...] repeated for members: [K, ...]. A single group is expanded without a copy."""
    if member_group is None:
        return value
    if value.shape[0] == 1:
        return value.expand(len(member_group), *value.shape[1:])
    return value[member_group]
