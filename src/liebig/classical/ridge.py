"""Ridge regression solved for many penalties at once, with what each answers for rows it has not seen.

Source: Hoerl & Kennard 1970; the leave-one-out answers in closed form of Golub, Heath & Wahba 1979.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from liebig.core.arrays import Reals

#: Directions in which inputs vary less than this share of the most are rounding.
_ROUNDING: Final = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """`weights` float64 [inputs, outputs], `bias` [outputs]; `left_out` [rows, outputs] answers each row without having seen it."""

    weights: Reals
    bias: Reals
    left_out: Reals


def solved(inputs: Reals, wanted: Reals, penalties: Sequence[float]) -> list[Solution]:
    """The solutions for `inputs` float64 [rows, inputs] and `wanted` [rows, outputs], one for each penalty on the sum of squared
    weights, beside the sum of squared errors."""
    mean, level = inputs.mean(axis=0), wanted.mean(axis=0)
    centred, aimed = inputs - mean, wanted - level
    rows, columns = centred.shape
    if columns <= rows:
        values, axes = np.linalg.eigh(centred.T @ centred)
        values, axes = _real(values, axes)
        left = centred @ axes / np.sqrt(values)  # orthonormal, [rows, directions]
    else:
        values, left = np.linalg.eigh(centred @ centred.T)
        values, left = _real(values, left)
        axes = centred.T @ left / np.sqrt(values)
    turned = left.T @ aimed
    found = []
    for penalty in penalties:
        shrunk = values / (values + penalty)
        fitted = left @ (shrunk[:, None] * turned)
        pull = np.square(left) @ shrunk + 1.0 / rows  # how much each row answers for itself, the mean included
        weights = axes @ ((shrunk / np.sqrt(values))[:, None] * turned)
        alone = (aimed - fitted) / np.maximum(1.0 - pull, 1e-6)[:, None]
        found.append(Solution(weights, level - mean @ weights, wanted - alone))
    return found


def _real(values: Reals, axes: Reals) -> tuple[Reals, Reals]:
    kept = values > _ROUNDING * max(float(values[-1]), 1e-300)
    return values[kept], axes[:, kept]
