"""Where a step's time goes: waiting for the loader between a step and the next pass, working from there to the step; and
how often the user's own code waits for the device."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from enum import Enum
from statistics import median
from typing import Final

from liebig.core.evidence import HostSyncs, LoaderWait
from liebig.watch.sight import Wait

_TIMINGS: Final = 64  # steps whose wait and work are timed
_LEAST: Final = 3  # of them say something


class _Timed(Enum):
    """What is being timed now."""

    NOTHING = 0
    WAIT = 1  # a step is over, the next pass is to come
    WORK = 2  # the pass has begun, its step is to come


class Timing:
    """Times the first steps that are not looked at."""

    def __init__(self) -> None:
        self.wanted = True  # not enough steps were timed yet
        self._now = _Timed.NOTHING
        self._mark = 0.0
        self._wait_seconds: list[float] = []
        self._work_seconds: list[float] = []

    @property
    def is_on(self) -> bool:
        """Whether something is being timed."""
        return self._now is not _Timed.NOTHING

    def step_is_over(self, now: float) -> None:
        self._now, self._mark = _Timed.WAIT, now
        self.wanted = len(self._work_seconds) < _TIMINGS

    def pass_begins(self, now: float) -> None:
        """A training pass."""
        if self._now is _Timed.WAIT:
            self._wait_seconds.append(now - self._mark)
            self._now, self._mark = _Timed.WORK, now

    def evaluation_begins(self) -> None:
        """What follows is no wait for a loader."""
        if self._now is _Timed.WAIT:
            self._now = _Timed.NOTHING

    def step_begins(self) -> None:
        if self._now is _Timed.WORK:
            self._work_seconds.append(time.perf_counter() - self._mark)
            self._now = _Timed.NOTHING

    def told(self) -> LoaderWait | None:
        """None before enough steps were timed."""
        if min(len(self._wait_seconds), len(self._work_seconds)) < _LEAST:
            return None
        return LoaderWait(median(self._wait_seconds), median(self._work_seconds), math.nan, -1)


def host_syncs(windows: Sequence[Sequence[Wait]], step_seconds: float, device: str) -> HostSyncs | None:
    """Of the waits in each of the steps that were looked at to the next pass; None where there was no such step."""
    if not windows:
        return None
    first = next((wait for each in windows for wait in each), None)
    printed = float(median(sum(wait.call in {"repr", "format"} for wait in each) for each in windows))
    return HostSyncs(
        float(median([len(each) for each in windows])), first.place if first else "", first.call if first else "",
        median(sum(wait.seconds for wait in each) for each in windows), step_seconds, printed, device,
    )  # fmt: skip
