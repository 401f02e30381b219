"""What to advise for a learning rate: from a range test where one was run, else from the size of the steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from liebig.checks.numbers import finite, middle, one_digit, over, ramp
from liebig.core.evidence import Cooled, EpochCurves, Evidence, RateRange, UpdateRatios

#: The share of its size that a step usefully moves a weight matrix by.
_USUAL_STEP: Final = 0.01


@dataclass(frozen=True, slots=True)
class AdvisedRate:
    """The rate in use and the one to try, NaN where they are not known; `tested` when a range test found it."""

    used: float
    found: float
    tested: bool

    @property
    def known(self) -> bool:
        return self.used > 0 and self.found > 0


def used_rate(evidence: Evidence) -> float:
    """The largest learning rate of the loop; NaN where it was not read."""
    tested, updates, curves = evidence.get(RateRange), evidence.get(UpdateRatios), evidence.get(EpochCurves)
    known = finite([*(updates.rates if updates else ()), *(curves.rates if curves else ())])
    if tested and math.isfinite(tested.used) and tested.used > 0:
        return tested.used
    return max(known, default=math.nan)


def advised_rate(evidence: Evidence, ratio: float) -> AdvisedRate:
    """The rate to try where a step moves the weights by `ratio` of their size."""
    used, tested = used_rate(evidence), evidence.get(RateRange)
    if tested and math.isfinite(tested.found) and tested.found > 0 and used > 0:
        return AdvisedRate(used, one_digit(tested.found), True)
    found = used * _USUAL_STEP / ratio if ratio > 0 else math.nan
    return AdvisedRate(used, one_digit(found), False)


def cooling_mends(evidence: Evidence) -> float:
    """How sure it is that letting the rate down takes noise out of the weights: 0 where that won nothing, or was not tried.

    What it wins on the training rows is certain, since these are many and the noise of the steps is all that differs: a twentieth
    of the loss of chance, and several standard errors, count whole. The loop's own last moment may have been better than those
    of the copy at its rate: then it is what the fall is measured from. What is won must be won on other rows, too.
    """
    cooled = evidence.get(Cooled)
    if cooled is None or not cooled.chance_loss > 0:
        return 0.0
    own = min(cooled.train_steady, cooled.train_before) - cooled.train_cooled
    others = cooled.steady_loss - cooled.cooled_loss
    certain = ramp(own, 0.015, 0.05) * ramp(over(own, cooled.train_error), 2.0, 4.0)
    carried = ramp(others / cooled.chance_loss, 0.005, 0.03) * ramp(over(others, cooled.error), 0.5, 1.5)
    return certain * carried


def early_ratio(updates: UpdateRatios) -> float:
    """Step over weights, median over layers and over five steps, the first or, as momentum makes them grow, the next: the
    median layer speaks for the rate, one odd layer (a zero start) does not."""
    early = [look for step, look in zip(updates.steps, updates.ratios, strict=False) if step < 10]
    halves = [_median_layer(updates, part) for part in (early[:5], early[5:])]
    return max(finite(halves), default=math.nan)


def _median_layer(updates: UpdateRatios, looks: Sequence[Sequence[float]]) -> float:
    return middle(middle(look[i] for look in looks if i < len(look)) for i in range(len(updates.layers)))
