"""How a score grows with rows, and what more of them would bring: a power law with a plateau through scores at several sizes.

``score(n) = a - b n^-c``: losses of networks fall so over orders of magnitude (Hestness et al. 2017, arXiv:1712.00409), and where learning
curves behave well it is what describes them best (Viering & Loog 2023, arXiv:2103.10948, section 4). From a few sizes the exponent c can hardly
be told, and everything beyond the last size hangs on it: so it is not chosen. Every exponent of the range that was ever measured is fitted, and
counts as much as the scores say; the interval is that of the mixture. Twice the rows then bring between a half and nearly all of what the
last doubling brought.

What the scores scatter by is the two-way residual: blocks differ, and sizes differ, and what remains is noise of seeds and of the examples
judged. The blocks' training rows overlap, so that their mean is less certain than a mean of independent runs (Nadeau & Bengio 2003). Where
no exponent fits within that noise (Loog & Viering show such curves), the interval grows by as much as the law misses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtr

from liebig.core.arrays import Reals

#: Exponents that were measured: from 0.05 on (Hestness et al.: 0.07 to 0.35 in practice) to 1, the fastest that estimates get better by.
EXPONENTS: Final = tuple(float(each) for each in np.geomspace(0.05, 1.0, 201))
#: Select over training rows of a block: by so much of a run's variance the mean of overlapping blocks stays uncertain.
OVERLAP: Final = 0.25
#: Both ends of a 95 % interval.
_TAIL: Final = 0.025
_FEWEST_SIZES: Final = 3
_HALVINGS: Final = 60


@dataclass(frozen=True, slots=True)
class Expected:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """The mixture of power laws through the scores at some sizes. For each exponent [E]: its `share`, the fitted `level` at the largest
    size and `step` (what the last doubling up to it brings), their covariance [E, 2, 2]. `error` is the standard error of the mean score
    at one size, block effects taken out; `degrees` what it is known by."""

    largest: float
    share: Reals
    level: Reals
    step: Reals
    covariance: Reals
    error: float
    degrees: int

    def score(self, rows: float) -> Expected:
        """The score when so many rows are trained on."""
        return self._expected(lambda c: np.stack([np.ones_like(c), _doublings(rows / self.largest, c)], axis=-1))

    def gain(self, before: float, after: float) -> Expected:
        """What `after` rows score more than `before` rows."""
        return self._expected(
            lambda c: np.stack(
                [np.zeros_like(c), _doublings(after / self.largest, c) - _doublings(before / self.largest, c)], axis=-1
            )
        )

    def _expected(self, direction: Callable[[Reals], Reals]) -> Expected:
        along = direction(np.array(EXPONENTS))
        middle = along[:, 0] * self.level + along[:, 1] * self.step
        spread = np.sqrt(np.einsum("ei,eij,ej->e", along, self.covariance, along))
        ends = [_quantile(middle, spread, self.share, self.degrees, tail) for tail in (_TAIL, 1 - _TAIL)]
        return Expected(float(self.share @ middle), ends[0], ends[1])


def law_of(rows: Sequence[float], scores: Reals, noise: float = 0.0) -> Law | None:
    """The law through `scores` [blocks, sizes] (oriented: larger is better) at `rows` [sizes], smallest first.

    `noise` is the least variance that one run is taken to have beside its block's (what is known of the examples that judge it), for the case
    that few blocks agree by luck. None with fewer than three sizes or two blocks, or where a score is not finite.
    """
    blocks, sizes = scores.shape
    if sizes < _FEWEST_SIZES or blocks < 2 or not np.isfinite(scores).all():
        return None
    degrees = (blocks - 1) * (sizes - 1)
    rest = scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + scores.mean()
    run = max(float((rest**2).sum()) / degrees, noise)
    variance = run * (1 / blocks + OVERLAP)
    means, share = scores.mean(axis=0), np.asarray(rows, dtype=np.float64) / rows[-1]
    c = np.array(EXPONENTS)
    design = np.stack([np.ones((len(c), sizes)), np.stack([_doublings(each, c) for each in share], axis=-1)], axis=-1)
    inverse = np.linalg.inv(np.einsum("esi,esj->eij", design, design))
    fitted = np.einsum("eij,esj,s->ei", inverse, design, means)
    missed = ((means - np.einsum("esi,ei->es", design, fitted)) ** 2).sum(axis=1)
    # Where even the best exponent misses by more than the noise, the noise is not all that is wrong.
    variance = max(variance, float(missed.min()) / (sizes - 2), float(np.finfo(float).tiny))
    likely = -0.5 * (degrees + sizes - 2) * np.log1p(missed / (degrees * variance))
    likely += 0.5 * np.log(np.linalg.det(inverse))
    weights = np.exp(likely - likely.max())
    return Law(
        float(rows[-1]), weights / weights.sum(), fitted[:, 0], fitted[:, 1], inverse * variance, variance**0.5, degrees
    )


def _doublings(share: float, exponents: Reals) -> Reals:
    """Where a size stands on the law, in last doublings: 0 at the largest size, -1 at half of it. [E]"""
    return np.asarray((1 - share**-exponents) / (2**exponents - 1), dtype=np.float64)


def _quantile(middle: Reals, spread: Reals, share: Reals, degrees: int, tail: float) -> float:
    """The quantile of a mixture of Student's distributions, by halving."""
    room = 50.0 * float(spread.max()) + float(np.ptp(middle))
    low, high = float(middle.min()) - room, float(middle.max()) + room
    if not room > 0:
        return float(share @ middle)
    for _ in range(_HALVINGS):
        centre = 0.5 * (low + high)
        below = float(share @ stdtr(degrees, (centre - middle) / np.maximum(spread, 1e-300)))
        low, high = (centre, high) if below < tail else (low, centre)
    return 0.5 * (low + high)
