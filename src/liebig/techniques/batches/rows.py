"""Rows of a batch for members of their own."""

from __future__ import annotations

import torch
from torch import Tensor

from liebig.stack.batch import Batch


def groups_of(batch: Batch, members: int) -> Tensor:
    """Which leading entry of the batch each member reads, int64 [K]."""
    if batch.member_group is not None:
        return batch.member_group
    if batch.dense.shape[0] == members:
        return torch.arange(members, device=batch.dense.device)
    return torch.zeros(members, dtype=torch.int64, device=batch.dense.device)
