"""First and second moments of the gradients of K members, and Adam's update from them, in one fused pass."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from liebig.techniques.optimizers.alone import is_one_on_processor


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Running means of the gradient and of its square, and the last update; each [K, n] float32."""

    first: Tensor
    second: Tensor
    update: Tensor


def no_moments(weights: Tensor) -> Moments:
    """The moments before step 0 for `weights` [K, n]."""
    return Moments(torch.zeros_like(weights), torch.zeros_like(weights), torch.zeros_like(weights))


def adam_step(
    weights: Tensor, moments: Moments, gradients: Tensor, rates: Tensor, step: int, *, beta1: float, beta2: float, epsilon: float
) -> None:  # fmt: skip
    """One step (0-based `step`) of `weights` [K, n] with `rates` [K], in place; `moments` move along."""
    if is_one_on_processor(weights):
        _fused(weights, moments, gradients, step, float(rates[0]), 0.0, beta1, beta2, epsilon)
        return
    update = adam_update(moments, gradients, step, beta1=beta1, beta2=beta2, epsilon=epsilon)
    weights.addcmul_(update, rates[:, None])


def adam_update(
    moments: Moments, gradients: Tensor, step: int, *, beta1: float, beta2: float, epsilon: float
) -> Tensor:
    """Bring `moments` up to `step` (0-based) in place, and return what to add to the weights for a rate of 1, [K, n].

    The kernel knows one rate for its whole buffer, but members have rates of their own. So it runs on the buffer of the
    update with a rate of 1; a decay of 1 clears what the last step left there in the same pass.
    """
    _fused(moments.update, moments, gradients, step, 1.0, 1.0, beta1, beta2, epsilon)
    return moments.update


def _fused(
    weights: Tensor, moments: Moments, gradients: Tensor, step: int, rate: float, decay: float, beta1: float, beta2: float, epsilon: float
) -> None:  # fmt: skip
    torch._fused_adamw_(
        [weights], [gradients], [moments.first], [moments.second], [],
        [torch.full((), step + 1.0, device=gradients.device)],
        lr=rate, beta1=beta1, beta2=beta2, weight_decay=decay, eps=epsilon, amsgrad=False, maximize=False,
    )  # fmt: skip
