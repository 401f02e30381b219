"""What sequences show before anything is trained: how long they are, what is missing, and what tells the future."""

from __future__ import annotations

from typing import Final

import numpy as np

from liebig.core.evidence import SequenceProfile
from liebig.core.task import Task
from liebig.data.sequences.content import SequenceData

_ASKED: Final = 2_000
#: A channel tells a value that is wanted where a line through it misses by less than this share of what the last value misses.
_MISS: Final = 1e-3
_FEWEST: Final = 20


def sequence_profile(task: Task[SequenceData]) -> SequenceProfile:
    """The profile of the task's work part."""
    rows = task.parts.work
    some = rows[:: max(1, len(rows) // _ASKED)]
    data = task.data[some]
    there = data.present
    missing = float(np.isnan(data.values[there]).mean()) if there.any() else 0.0
    leaks = leaking(data, np.asarray(task.target[some], dtype=np.float64)) if task.time is not None else ()
    lengths = task.data.lengths[rows]
    return SequenceProfile(
        len(rows), int(lengths.min()), int(lengths.max()), missing, tuple(name for name, _ in leaks),
        tuple(step for _, step in leaks),
    )  # fmt: skip


def leaking(
    data: SequenceData, wanted: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> tuple[tuple[str, int], ...]:
    """Channels whose last step tells what is wanted, with the step of the horizon. `wanted` float64 [rows, horizon], or [rows]."""
    aims = wanted if wanted.ndim == 2 else wanted[:, None]
    last = data.values[np.arange(len(data)), data.lengths - 1].astype(np.float64)
    found = []
    known_value = last[:, data.anchor] if data.anchor >= 0 else aims.mean(axis=1)
    for channel, name in enumerate(data.channels):
        own = last[:, channel]
        known = np.isfinite(own) & np.isfinite(known_value)
        if known.sum() < _FEWEST or np.ptp(own[known]) == 0:
            continue
        centred = own[known] - own[known].mean()
        for step in range(aims.shape[1]):
            aim = aims[known, step]
            slope = float((centred * (aim - aim.mean())).sum() / np.square(centred).sum())
            missed = float(np.std(aim - aim.mean() - slope * centred))
            if missed < _MISS * float(np.std(aim - known_value[known])):
                found.append((name, step + 1))
                break
    return tuple(found)
