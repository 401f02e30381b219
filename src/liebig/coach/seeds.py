"""What time that is left at the seal buys: the winner's networks from further seeds, whose mean answers.

The mean of several seeds is not worse than one of them is on average, in any convex loss; it needs no trial to be harmless,
and the seal judges the very model that answers. Source: Lakshminarayanan et al. 2017, arXiv:1612.01474.
"""

from __future__ import annotations

from typing import Final

#: Seeds in all of what a recipe trains: sixteen gave no more than eight on seventeen tables.
MOST_SEEDS: Final = 8
#: What was measured once may take so much longer the next time.
_CAUTION: Final = 1.05


def seeds_that_fit(left: float, spent: float, again: float) -> int:
    """Seeds in all, at least 1, where training the networks from one seed took `spent` seconds and each will be trained once
    more for `again` times that. `left` is what may be spent, of which one training is kept for explaining the model."""
    if spent <= 0.0:
        return 1
    free = left / (_CAUTION * spent) - 1.0 - again
    return max(1, min(MOST_SEEDS, 1 + int(free / (1.0 + again))))
