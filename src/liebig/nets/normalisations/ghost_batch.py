"""Ghost batch normalisation.

Does: batch normalisation over pieces of the batch of about `size` rows each; the running averages take every piece in
  turn.
Helps: keeps the noise of small batches, which regularises, when batches are large.
Misleads: pieces of a few rows have no usable variance.
Source: Hoffer, Hubara & Soudry 2017, arXiv:1705.08741, algorithm 1.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.nets.normalisations.batch_statistics import by_batch, by_running, running_buffers
from liebig.nets.normalisations.normalisation import Named, Normalisation
from liebig.stack.specs import BufferSpec


class GhostBatchNorm(Normalisation):
    """`size` rows make one piece; a batch is cut into pieces that differ by at most one row."""

    kind: Literal["ghost-batch"] = "ghost-batch"
    size: int = Field(64, ge=2)
    momentum: float = Field(0.1, gt=0.0, le=1.0)
    epsilon: float = Field(1e-5, gt=0.0, le=1.0)

    def buffers(self, name: str, units: int) -> tuple[BufferSpec, ...]:
        return running_buffers(name, units)

    def __call__(self, x: Tensor, name: str, weights: Named, buffers: Named, training: bool) -> Tensor:
        if not training:
            return by_running(x, name, weights, buffers, self.epsilon)
        pieces = x.tensor_split(max(1, round(x.shape[1] / self.size)), dim=1)
        return torch.cat([by_batch(p, name, weights, buffers, self.epsilon, self.momentum) for p in pieces], dim=1)
