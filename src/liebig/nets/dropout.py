"""Dropout of a stack: each member has its own rate and draws of its own."""

from __future__ import annotations

from torch import Tensor

from liebig.stack.draws import Draws


def dropout_factor(rate: Tensor, shape: tuple[int, ...], draws: Draws, stream: int, like: Tensor) -> Tensor:
    """What each entry of [K, *shape] is multiplied by: 0, or 1 / share kept, in the precision of `like`.

    Kept entries are divided by the share kept, so that evaluation uses all of them as they are.
    `rate` [K] is the share dropped.
    """
    return draws.kept(1.0 - rate, shape, stream, like.dtype)


def dropout(x: Tensor, rate: Tensor, draws: Draws, stream: int) -> Tensor:
    """`x` [K, ...] with a share `rate` [K] of its entries dropped."""
    return x * dropout_factor(rate, tuple(x.shape[1:]), draws, stream, x)
