"""Squared gradients of K members, and room to work in, so that a step allocates nothing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Squares:
    """A sum or running mean of squared gradients, and scratch; each [K, n] float32."""

    squares: Tensor
    scratch: Tensor


def no_squares(weights: Tensor) -> Squares:
    """The state before step 0 for `weights` [K, n]."""
    return Squares(torch.zeros_like(weights), torch.zeros_like(weights))
