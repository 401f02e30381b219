"""First and second moments of the gradients of K members, and Adam's update from them, in one fused pass."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Running means of the gradient and of its square, and the last update; each [K, n] float32."""

    first: Tensor
    second: Tensor
    update: Tensor


def no_moments(weights: Tensor) -> Moments:
    """The moments before step 0 for `weights` [K, n]."""
    return Moments(torch.zeros_like(weights), torch.zeros_like(weights), torch.zeros_like(weights))


def adam_update(
    moments: Moments, gradients: Tensor, step: int, *, beta1: float, beta2: float, epsilon: float
) -> Tensor:
    """Bring `moments` up to `step` (0-based) in place, and return what to add to the weights for a rate of 1, [K, n].

    The kernel knows one rate for its whole buffer, but members have rates of their own. So it runs on the buffer of the
    update with a rate of 1; a decay of 1 clears what the last step left there in the same pass.
    """
    torch._fused_adamw_(
        [moments.update],
        [gradients],
        [moments.first],
        [moments.second],
        [],
        [torch.full((), step + 1.0, device=gradients.device)],
        lr=1.0,
        beta1=beta1,
        beta2=beta2,
        weight_decay=1.0,
        eps=epsilon,
        amsgrad=False,
        maximize=False,
    )
    return moments.update
