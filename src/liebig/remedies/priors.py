"""What a remedy is expected to give before it is tried, from a row of wins, ties and losses."""

from __future__ import annotations

from math import erf, exp, pi, sqrt
from statistics import NormalDist
from typing import Final

from liebig.core.remedy import Prior

_NORMAL: Final = NormalDist()
#: A win is a difference beyond two standard errors of five pairs: 2 / sqrt(5) block standard deviations.
_WIN: Final = 0.9
#: Half the width of the interval that holds 80 % of tables, in standard deviations between tables.
_EIGHTY: Final = _NORMAL.inv_cdf(0.9)

#: Where the numbers of the seventeen tables are told.
TABLES: Final = "seventeen tables, two blocks each (docs/decisions/starting-recipe.md)"


def measured(effect: float, wins: int, ties: int, losses: int, source: str = TABLES) -> Prior:
    """A prior whose median is `effect` (block standard deviations); the interval holds 80 % of tables.

    The spread between tables is that of the normal distribution which wins (beyond +0.9) and loses (below -0.9) as often
    as was counted, half a table added to each count so that none is ever impossible.
    """
    tables = wins + ties + losses + 1.5
    won, lost = (wins + 0.5) / tables, (losses + 0.5) / tables
    spread = 2 * _WIN / (_NORMAL.inv_cdf(1 - won) - _NORMAL.inv_cdf(lost))
    half = _EIGHTY * spread
    return Prior(effect, effect - half, effect + half, f"{source}: {wins} won, {ties} tied, {losses} lost")


def spread_of(prior: Prior) -> float:
    """Standard deviation between tables, from the prior's interval of 80 %."""
    return max((prior.high - prior.low) / (2 * _EIGHTY), 1e-6)


def expected_gain(effect: float, spread: float) -> float:
    """Mean of max(0, x) for x normal around `effect`: what a try is worth, since what does not help is not kept."""
    z = effect / spread
    return effect * 0.5 * (1 + erf(z / sqrt(2))) + spread * exp(-z * z / 2) / sqrt(2 * pi)
