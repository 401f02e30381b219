"""How many threads are fastest at this moment: measured, since it changes with what else the machine does.

Two threads that share a step wait for each other a hundred times in it, spinning. On a free machine that halves the time;
where another process takes one of the cores, both wait for a thread that is not running. Measured on two cores, steps of
15 members of width 128: 2.0 ms with two threads and 3.4 ms with one on a free machine, 9-17 ms and 3.4 ms on a busy one.
Waiting asleep (OMP_WAIT_POLICY=passive) costs what the second thread gains.
"""

from __future__ import annotations

import time
from typing import Final

import torch

#: Seconds of one timing, how often both are timed in turn, and for how long an answer holds.
_SECONDS: Final = 0.008
_TURNS: Final = 2
_HOLDS: Final = 2.0
#: What all threads must gain over one to be worth waiting for each other.
_GAIN: Final = 1.1


@torch.no_grad()
def _steps_per_second(threads: int, left: torch.Tensor, right: torch.Tensor) -> float:
    """Small steps (a product, and element by element) in a second, with so many threads; waits count."""
    torch.set_num_threads(threads)
    torch.relu_(torch.bmm(left, right))  # the first of them starts the threads
    done, began = 0, time.perf_counter()
    until = began + _SECONDS
    while time.perf_counter() < until:
        torch.relu_(torch.bmm(left, right))
        done += 1
    return done / (time.perf_counter() - began)


class Threads:
    """The threads that this process was given, and how many of them are used: all or one, whichever is faster. As a context
    manager it uses all of them again at its end."""

    def __init__(self) -> None:
        self.given = torch.get_num_threads()
        self._asked_at = -_HOLDS

    def choose(self) -> int:
        """Set the number of threads to what is faster at this moment, measured at most every two seconds; returns it."""
        if self.given < 2 or time.monotonic() - self._asked_at < _HOLDS:
            return torch.get_num_threads()
        left, right = torch.randn(8, 128, 128), torch.randn(8, 128, 128)
        together = alone = 0.0
        for _ in range(_TURNS):
            together += _steps_per_second(self.given, left, right)
            alone += _steps_per_second(1, left, right)
        fastest = self.given if together > _GAIN * alone else 1
        torch.set_num_threads(fastest)
        self._asked_at = time.monotonic()
        return fastest

    def __enter__(self) -> Threads:
        return self

    def __exit__(self, *error: object) -> None:
        torch.set_num_threads(self.given)
