"""Sequences without gaps for algorithms that know none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]


def lengths_of(sequences: Values) -> NDArray[np.int64]:
    """The steps of each sequence of [n, steps, channels], int64 [n]: up to the last at which anything is known."""
    known: NDArray[np.bool_] = np.logical_not(np.isnan(sequences).all(axis=2))
    last = known.shape[1] - np.argmax(known[:, ::-1], axis=1)
    return np.where(known.any(axis=1), last, 1).astype(np.int64)


def filled(sequences: Values) -> Values:
    """Missing values as the last known before them, those before the first as the first known, 0 where nothing is; behind the end
    the last value goes on."""
    if not np.isnan(sequences).any():
        return sequences
    return np.nan_to_num(_carried(_carried(sequences)[:, ::-1])[:, ::-1], nan=0.0)


def _carried(values: Values) -> Values:
    steps = np.arange(values.shape[1])[None, :, None]
    last = np.maximum.accumulate(np.where(np.isnan(values), 0, steps), axis=1)
    return np.take_along_axis(values, last, axis=1)
