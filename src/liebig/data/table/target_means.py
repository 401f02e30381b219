"""The target's mean of each level, for columns of very many levels.

A level's mean is drawn to the mean of all by `PRIOR_ROWS` rows. Training rows get the mean that the *other* folds give
them (cross-fitted), so that none of them sees its own target.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from liebig.core.arrays import Reals

PRIOR_ROWS: Final = 10.0
_FOLDS: Final = 5
#: Classes above this give no target means: as many inputs for each column would cost more than they tell.
MOST_CLASSES: Final = 10


def answers(target: Reals, classes: int) -> Reals:
    """What is averaged, float64 [rows, answers]: the number or the second class, or one column for each class."""
    if classes > 2:
        return np.asarray(target[:, None] == np.arange(classes), dtype=np.float64)
    return target[:, None]


def level_means(codes: NDArray[np.int32], values: Reals, levels: int) -> Reals:
    """Mean of `values` [rows, answers] at each level, float64 [levels + 2, answers], drawn to the mean of all.

    `codes` int32 [rows]; row code + 2 of the result is a code's, so that rows 0 and 1 are for unseen and missing.
    """
    counts = np.bincount(codes + 2, minlength=levels + 2).astype(np.float64)
    prior = values.mean(axis=0)
    sums = np.stack([np.bincount(codes + 2, column, minlength=levels + 2) for column in values.T], axis=1)
    return np.asarray((sums + PRIOR_ROWS * prior) / (counts + PRIOR_ROWS)[:, None], dtype=np.float64)


def cross_fitted(codes: NDArray[np.int32], values: Reals, levels: int, seed: int) -> Reals:
    """For each training row the mean that the other folds give its level, float64 [rows, answers]."""
    fold = np.random.default_rng([seed, 0x7A67]).permutation(len(codes)) % _FOLDS
    means = np.empty_like(values)
    for number in range(_FOLDS):
        own = fold == number
        if own.any() and not own.all():
            means[own] = level_means(codes[~own], values[~own], levels)[codes[own] + 2]
        elif own.any():
            means[own] = values.mean(axis=0)
    return means
