"""What time that is left at the seal buys: the winner's networks from further seeds, whose mean answers.

The mean of several seeds is not worse than one of them is on average, in any convex loss; it needs no trial to be harmless,
and the seal judges the very model that answers. Source: Lakshminarayanan et al. 2017, arXiv:1612.01474.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

#: Seeds in all of what a recipe trains: sixteen gave no more than eight on seventeen tables.
MOST_SEEDS: Final = 8
#: What was measured once may take so much longer the next time.
_CAUTION: Final = 1.05


def seeds_that_fit(left: float, spent: float, again: float, times: Callable[[int], float]) -> int:
    """Seeds in all, at least 1, where training the networks from one seed took `spent` seconds, from so many together
    `times` as long, and all of them will be trained once more for `again` times that. `left` is what may be spent, of which
    one training is kept for explaining the model."""

    def seconds(seeds: int) -> float:
        return _CAUTION * spent * (1.0 + times(seeds - 1) + again * times(seeds))

    return next((seeds for seeds in range(MOST_SEEDS, 1, -1) if 0.0 < seconds(seeds) <= left), 1)
