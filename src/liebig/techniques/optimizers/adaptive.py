"""What adaptive optimizers share: torch's fused Adam kernel on a stack whose members have rates of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.settings import STACKABLE

Rate = Annotated[float, Field(gt=0.0, le=1000.0, allow_inf_nan=False), STACKABLE]
Decay = Annotated[float, Field(ge=0.0, le=100.0, allow_inf_nan=False), STACKABLE]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Epsilon = Annotated[float, Field(gt=0.0, le=1.0)]

#: Optimizer states by name; every tensor leads with K.
Memory = Mapping[str, Tensor]


def adam_memory(weights: Tensor) -> dict[str, Tensor]:
    """First and second moments, and room for the update, each [K, n]."""
    return {name: torch.zeros_like(weights) for name in ("mean", "square", "update")}


def adam_update(gradients: Tensor, memory: Memory, step: int, beta1: float, beta2: float, epsilon: float) -> Tensor:
    """Minus Adam's direction [K, n] (Kingma & Ba 2015, algorithm 1, for rate 1), in `memory["update"]`.

    The fused kernel knows one rate for all entries; run on zeros with rate 1 it leaves the update itself, which is then
    applied with each member's rate.
    """
    update = memory["update"].zero_()
    torch._fused_adamw_(
        [update],
        [gradients],
        [memory["mean"]],
        [memory["square"]],
        [],
        [torch.tensor(float(step + 1), device=update.device)],
        lr=1.0,
        beta1=beta1,
        beta2=beta2,
        weight_decay=0.0,
        eps=epsilon,
        amsgrad=False,
        maximize=False,
    )
    return update


def add_decay(gradients: Tensor, weights: Tensor, decay: Tensor, spans: Sequence[slice]) -> None:
    """Coupled decay, in place: ``g + decay * w`` (an L2 penalty) where decay acts. `decay` [K]."""
    for span in spans:
        gradients[:, span].addcmul_(weights[:, span], decay[:, None])


def shrink(weights: Tensor, rates: Tensor, decay: Tensor, spans: Sequence[slice]) -> None:
    """Decoupled decay, in place: ``w * (1 - rate * decay)`` where it acts (Loshchilov & Hutter 2019). Both [K]."""
    kept = (1.0 - rates * decay)[:, None]
    for span in spans:
        weights[:, span].mul_(kept)


def apply(weights: Tensor, update: Tensor, rates: Tensor) -> None:
    """``w + rate * update`` in place; `rates` [K]."""
    weights.addcmul_(update, rates[:, None])
