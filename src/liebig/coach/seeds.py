"""What time that is left at the seal buys: the winner's networks, and trees beside them, from further seeds, whose mean answers.

The mean of several seeds is not worse than one of them is on average, in any convex loss; it needs no trial to be harmless,
and the seal judges the very model that answers. Source: Lakshminarayanan et al. 2017, arXiv:1612.01474.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

#: Seeds in all of what a recipe trains: sixteen gave no more than eight on seventeen tables.
MOST_SEEDS: Final = 8
#: The same for classical algorithms that vary with their seed (boosted trees, by the rows that they stop by).
MOST_FITS: Final = 5
#: How many times as long training from so many seeds together takes as from one.
Times = Callable[[int], float]
#: What was measured once may take so much longer the next time.
_CAUTION: Final = 1.05


def seeds_that_fit(left: float, spent: float, again: float, times: Times, explained: float) -> int:
    """Seeds in all, at least 1, where training the networks from one seed took `spent` seconds, from so many together
    `times` as long, and all of them will be trained once more for `again` times that. `left` is what may be spent, of which
    `explained` seconds are kept for training the one network that is explained."""
    return _most(MOST_SEEDS, left, lambda seeds: _seconds_of_seeds(seeds, spent, again, times, explained))


def fits_that_fit(left: float, once: float) -> int:
    """Fits in all, at least 1, where one was made, each further one takes `once` seconds, and `left` may be spent on them."""
    return _most(MOST_FITS, left, lambda count: _CAUTION * once * (count - 1))


def kept_for_seeds(most: float, seeds: int, spent: float, again: float, times: Times, explained: float) -> float:
    """Seconds to keep for training from at most so many `seeds`, beside what one takes; 0 where `most` seconds do not pay for a
    second one."""

    def further(count: int) -> float:
        return _seconds_of_seeds(count, spent, again, times, explained) - again * spent

    paid = _most(seeds, most, further)
    return further(paid) if paid > 1 else 0.0


def _seconds_of_seeds(seeds: int, spent: float, again: float, times: Times, explained: float) -> float:
    """What training from so many seeds takes once the first was trained: the others, all of them once more, and the network
    that is explained."""
    return _CAUTION * (explained + spent * (times(seeds - 1) + again * times(seeds)))


def _most(seeds: int, left: float, seconds: Callable[[int], float]) -> int:
    return next((count for count in range(seeds, 1, -1) if 0.0 < seconds(count) <= left), 1)
