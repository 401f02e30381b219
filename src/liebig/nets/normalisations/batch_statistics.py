"""Batch statistics and their running averages, for all normalisations over the batch."""

from __future__ import annotations

import torch
from torch import Tensor

from liebig.nets.normalisations.normalisation import Named, scaled
from liebig.stack.specs import BufferSpec


def running_buffers(name: str, units: int) -> tuple[BufferSpec, ...]:
    """Running mean and variance, as torch starts them."""
    return BufferSpec(f"{name}.mean", (units,), 0.0), BufferSpec(f"{name}.variance", (units,), 1.0)


def by_running(x: Tensor, name: str, weights: Named, buffers: Named, epsilon: float) -> Tensor:
    """Evaluation: normalised by the running statistics."""
    factor = torch.rsqrt(buffers[f"{name}.variance"] + epsilon) * weights[f"{name}.scale"].float()
    shift = weights[f"{name}.shift"].float() - buffers[f"{name}.mean"] * factor
    return shift[:, None].addcmul(x.float(), factor[:, None]).to(x.dtype)


def by_batch(x: Tensor, name: str, weights: Named, buffers: Named, epsilon: float, momentum: float) -> Tensor:
    """Training: normalised by the batch's mean and (biased) variance; the running variance takes the unbiased one."""
    wide = x.float()
    variance, mean = torch.var_mean(wide, dim=1, correction=0)
    with torch.no_grad():
        rows = x.shape[1]
        buffers[f"{name}.mean"].lerp_(mean, momentum)
        # A batch of one row has no unbiased variance: the running one then keeps what it knows.
        if rows > 1:
            buffers[f"{name}.variance"].lerp_(variance * (rows / (rows - 1)), momentum)
    normal = (wide - mean[:, None]) * torch.rsqrt(variance + epsilon)[:, None]
    return scaled(normal.to(x.dtype), name, weights)
