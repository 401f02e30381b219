"""What a sequence is like, told by a few numbers for each channel, whatever its length.

Sources: the simple statistics of catch22 (Lubba et al. 2019, arXiv:1901.10200) and of tsfresh (Christ et al. 2018), as far as
they are one pass over the values.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from liebig.core.arrays import Rows

Values = NDArray[np.float32]

_PARTS: Final = (
    "mean", "spread", "lowest", "highest", "tenth", "median", "ninetieth", "first", "last", "slope", "bend", "mean change",
    "mean jump", "spread of changes", "likeness to the step before", "crossings of the mean", "place of the highest",
    "place of the lowest", "skew", "first third", "last third",
)  # fmt: skip
#: The mean square of what a few waves hold: periods of a whole, a half, a fourth ... of the sequence.
_WAVES: Final = (1, 2, 4, 8, 16)
_LEAST: Final = 1e-12
_CHUNK: Final = 512


def names_of(channels: tuple[str, ...]) -> tuple[str, ...]:
    """What each number is called, in the order of `summaries`."""
    parts = (*_PARTS, *(f"waves {each}" for each in _WAVES), "missing")
    return (*(f"{channel}: {part}" for channel in channels for part in parts), "length")


def summaries(values: Values, lengths: Rows) -> Values:
    """Float32 [rows, channels * numbers + 1] of `values` [rows, steps, channels], NaN where missing; the last is the length."""
    found = [_summary(values[i : i + _CHUNK], lengths[i : i + _CHUNK]) for i in range(0, len(values), _CHUNK)]
    return np.concatenate(found) if found else np.zeros((0, values.shape[2] * (len(_PARTS) + 6) + 1), np.float32)


def _summary(values: Values, lengths: Rows) -> Values:
    rows, steps, channels = values.shape
    there = np.arange(steps)[None] < lengths[:, None]
    columns = []
    with np.errstate(invalid="ignore", divide="ignore"):
        for channel in range(channels):
            own = np.where(there, values[:, :, channel], np.nan).astype(np.float64)
            columns.append(_of_channel(own, lengths))
    whole = [each for channel in columns for each in channel]
    return np.stack([*whole, lengths.astype(np.float64)], axis=1).astype(np.float32).reshape(rows, -1)


def _of_channel(own: NDArray[np.float64], lengths: Rows) -> list[NDArray[np.float64]]:
    """The numbers of one channel, [rows] each, of `own` [rows, steps]."""
    known = ~np.isnan(own)
    count = known.sum(axis=1)
    some = count > 0
    filled = np.where(known, own, 0.0)
    total = np.maximum(count, 1)
    mean = filled.sum(axis=1) / total
    centred = np.where(known, own - mean[:, None], 0.0)
    variance = np.square(centred).sum(axis=1) / total
    spread = np.sqrt(variance)
    ordered = np.sort(own, axis=1)  # what is missing comes last

    def quantile(share: float) -> NDArray[np.float64]:
        place = np.clip(np.rint(share * (count - 1)), 0, None).astype(np.int64)
        return np.asarray(ordered[np.arange(len(own)), place], dtype=np.float64)

    place = np.arange(own.shape[1])[None] / np.maximum(lengths[:, None] - 1, 1) - 0.5  # -0.5 .. 0.5 along the sequence
    at = np.where(known, place, 0.0)
    lean = at - at.sum(axis=1, keepdims=True) / total[:, None]
    lean = np.where(known, lean, 0.0)
    slope = (lean * centred).sum(axis=1) / np.maximum(np.square(lean).sum(axis=1), _LEAST)
    curve = np.where(known, np.square(at) - (np.square(at).sum(axis=1) / total)[:, None], 0.0)
    bend = (curve * centred).sum(axis=1) / np.maximum(np.square(curve).sum(axis=1), _LEAST)
    both = known[:, 1:] & known[:, :-1]
    steps = np.where(both, own[:, 1:] - own[:, :-1], 0.0)
    pairs = np.maximum(both.sum(axis=1), 1)
    change = steps.sum(axis=1) / pairs
    moved = np.sqrt(np.maximum(np.square(steps).sum(axis=1) / pairs - change**2, 0.0))
    likeness = (centred[:, 1:] * centred[:, :-1] * both).sum(axis=1) / np.maximum(variance * total, _LEAST)
    crossed = (np.sign(centred[:, 1:]) * np.sign(centred[:, :-1]) < 0).sum(axis=1) / pairs
    first = np.argmax(known, axis=1)
    last = known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    rows = np.arange(len(own))
    length = np.maximum(lengths - 1, 1)
    cube = (centred**3).sum(axis=1) / total / np.maximum(spread**3, _LEAST)
    found = [
        mean, spread, quantile(0.0), quantile(1.0), quantile(0.1), quantile(0.5), quantile(0.9), own[rows, first],
        own[rows, last], slope, bend, change, np.abs(steps).sum(axis=1) / pairs, moved, likeness, crossed,
        np.argmax(np.where(known, own, -np.inf), axis=1) / length, np.argmin(np.where(known, own, np.inf), axis=1) / length,
        cube, _part(own, known, place, -0.5, -1 / 6), _part(own, known, place, 1 / 6, 0.5),
    ]  # fmt: skip
    for wave in _WAVES:
        angle = 2 * np.pi * wave * place
        power = sum(np.square((turned(angle) * centred).sum(axis=1) / total) for turned in (np.cos, np.sin))
        found.append(np.asarray(np.sqrt(power), dtype=np.float64))
    found = [np.where(some, each, np.nan) for each in found]
    found.append(1.0 - count / np.maximum(lengths, 1))
    return found


def _part(
    own: NDArray[np.float64], known: NDArray[np.bool_], place: NDArray[np.float64], low: float, high: float
) -> NDArray[np.float64]:
    """The mean of what lies between two places of the sequence."""
    inside = known & (place >= low) & (place <= high)
    return np.asarray(np.where(inside, own, 0.0).sum(axis=1) / np.maximum(inside.sum(axis=1), 1), dtype=np.float64)
