"""Forecasts as rows: windows of a series, what follows each of them, and when that is.

A window and what follows it take up time: `lookback` steps before the first value that is wanted, `horizon` from it on. Two
windows whose values overlap are never in two parts of the data; that is what `reach` says to the blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liebig.classical.filling import filled
from liebig.classical.naive import repeated
from liebig.core.arrays import Reals, Rows
from liebig.core.errors import UserError
from liebig.data.sequences.content import SequenceData

Values = NDArray[np.float32]

#: More windows than this are thinned: neighbours are nearly the same.
_MOST_WINDOWS: Final = 4_000
_LEAST_WINDOWS: Final = 40
_LEAST_LOOKBACK: Final = 8
_USUAL_LOOKBACK: Final = 24
_MOST_LOOKBACK: Final = 512
#: Of a series, what one window may take up.
_SHARE: Final = 1 / 6
#: A season is a peak of the autocorrelation as high as this, at least.
_SEASONAL: Final = 0.3
_LONGEST_SEASON: Final = 1_000
#: What stood a season before tells something where its squared error is below this share of the variance; so many windows are asked.
_TELLING: Final = 0.5
_ASKED: Final = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """`values` float32 [rows, lookback, channels], `wanted` float64 [rows, horizon], `moments` float64 [rows]: the number of the
    step whose value is wanted first; `of` int64 [rows] the series that each is from."""

    values: Values
    wanted: Reals
    moments: Reals
    of: Rows


def season_of(values: Reals) -> int:
    """The number of steps after which a series [steps] is most like itself, 0 where it is like itself nowhere: the highest peak of
    the autocorrelation."""
    known = values[np.isfinite(values)]
    longest = min(len(known) // 3, _LONGEST_SEASON)
    if longest < 3 or known.std() == 0:
        return 0
    centred = known - known.mean()
    size = 1 << (2 * len(centred) - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    likeness = np.fft.irfft(spectrum * spectrum.conj(), size)[: longest + 1]
    likeness = likeness / likeness[0]
    inner = likeness[1:-1]
    peaks = np.flatnonzero((inner >= likeness[:-2]) & (inner > likeness[2:])) + 1
    peaks = peaks[peaks > 1]
    if not len(peaks):
        return 0
    best = int(peaks[np.argmax(likeness[peaks])])
    return best if likeness[best] >= _SEASONAL else 0


def season_for(data: SequenceData, target: Reals, rows: Rows) -> int:
    """The number of steps after which what stood before is the best forecast of what is wanted in `rows`, 0 where that is hardly
    better than the mean."""
    wanted = target[rows] if target.ndim == 2 else target[rows][:, None]
    some = np.arange(0, len(rows), max(1, len(rows) // _ASKED))
    seen, wanted = filled(data.values[rows[some]])[:, :, data.anchor], wanted[some]
    errors = [
        float(np.square(repeated(seen, each, wanted.shape[1]) - wanted).mean()) for each in range(1, data.steps + 1)
    ]
    best = int(np.argmin(errors))
    return best + 1 if errors[best] < _TELLING * float(wanted.var()) else 0


def lookback_for(series: Sequence[Values], anchor: int, horizon: int) -> int:
    """Steps that a forecast should see: two seasons and two horizons, as far as the series are long enough. Raises UserError where
    they are too short for any."""
    longest = max(series, key=len)
    shortest = min(len(each) for each in series)
    season = season_of(longest[:, anchor].astype(np.float64))
    wished = min(max(2 * horizon, 2 * season, _USUAL_LOOKBACK), _MOST_LOOKBACK)
    room = min(int(_SHARE * len(longest)), shortest - horizon)
    if room < _LEAST_LOOKBACK:
        raise UserError(
            f"the next {horizon} values need series of at least {max(_LEAST_LOOKBACK + horizon, 6 * _LEAST_LOOKBACK)} steps, "
            f"however the {'longest' if len(longest) < 6 * _LEAST_LOOKBACK else 'shortest'} has "
            f"{len(longest) if len(longest) < 6 * _LEAST_LOOKBACK else shortest}"
        )
    return min(wished, room)


def cut(
    series: Sequence[Values], anchor: int, horizon: int, lookback: int, starts: Sequence[float] | None = None
) -> Windows:
    """Windows of `series` [steps, channels] each, what follows in channel `anchor`, thinned where they are many. A window whose
    wanted values are not all known is left out. `starts` are the moments of each series' first step, in steps. Raises UserError
    where hardly any is left."""
    possible = sum(max(0, len(each) - lookback - horizon + 1) for each in series)
    stride = max(1, -(-possible // _MOST_WINDOWS))
    values, wanted, moments, of = [], [], [], []
    for number, each in enumerate(series):
        begin = 0.0 if starts is None else starts[number]
        first = np.arange(lookback, len(each) - horizon + 1, stride)
        if not len(first):
            continue
        follows = each[first[:, None] + np.arange(horizon)[None], anchor].astype(np.float64)
        known = np.isfinite(follows).all(axis=1)
        first, follows = first[known], follows[known]
        values.append(each[first[:, None] + np.arange(-lookback, 0)[None]])
        wanted.append(follows)
        moments.append(begin + first.astype(np.float64))
        of.append(np.full(len(first), number, dtype=np.int64))
    count = sum(len(each) for each in wanted)
    if count < _LEAST_WINDOWS:
        raise UserError(
            f"forecasts of {horizon} steps from {lookback} need at least {_LEAST_WINDOWS} windows with known values, however "
            f"there are {count}: a shorter --horizon or --lookback, or longer series, would do"
        )
    return Windows(np.concatenate(values), np.concatenate(wanted), np.concatenate(moments), np.concatenate(of))


def shifts(values: Values) -> Rows:
    """By how many steps each window [rows, steps, channels] lies behind the one before it, int64 [rows]: 0 for the first, and for
    one that shares no step with the one before."""
    rows, steps, _ = values.shape
    found = np.zeros(rows, dtype=np.int64)
    waiting = np.arange(1, rows)
    for shift in range(1, steps):
        if not len(waiting):
            break
        # A quick look at the last step that both have before all are compared.
        near = _same(values[waiting, steps - 1 - shift], values[waiting - 1, steps - 1])
        near &= _same(values[waiting, 0], values[waiting - 1, shift])
        own = waiting[near]
        if len(own):
            whole = _same(
                values[own, : steps - shift].reshape(len(own), -1), values[own - 1, shift:].reshape(len(own), -1)
            )
            found[own[whole]] = shift
            waiting = np.setdiff1d(waiting, own[whole], assume_unique=True)
    return found


def _same(one: Values, other: Values) -> NDArray[np.bool_]:
    """Rows that are equal, NaN included."""
    return np.asarray(((one == other) | (np.isnan(one) & np.isnan(other))).all(axis=1))
