"""Batch normalisation.

Does: standardises every unit over the batch, then scales and shifts it by learnt values; evaluation uses running
  averages. A batch whose variance is 0 is divided by the root of `epsilon`, so it trains without NaN.
Helps: deep networks, badly scaled inputs; allows a higher rate; learns, and overfits, faster.
Misleads: a batch of two has no usable variance; running averages lag behind a fast start.
Source: Ioffe & Szegedy 2015, arXiv:1502.03167, algorithms 1 and 2.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from torch import Tensor

from liebig.nets.normalisations.batch_statistics import by_batch, by_running, running_buffers
from liebig.nets.normalisations.normalisation import Named, Normalisation
from liebig.stack.specs import BufferSpec


class BatchNorm(Normalisation):
    """`momentum` is the share of the newest batch in the running averages."""

    kind: Literal["batch"] = "batch"
    momentum: float = Field(0.1, gt=0.0, le=1.0)
    epsilon: float = Field(1e-5, gt=0.0, le=1.0)

    def buffers(self, name: str, units: int) -> tuple[BufferSpec, ...]:
        return running_buffers(name, units)

    def __call__(self, x: Tensor, name: str, weights: Named, buffers: Named, training: bool) -> Tensor:
        if not training:
            return by_running(x, name, weights, buffers, self.epsilon)
        return by_batch(x, name, weights, buffers, self.epsilon, self.momentum)
