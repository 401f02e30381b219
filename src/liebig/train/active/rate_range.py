"""Learning-rate range test.

Does: trains a copy from the starting weights with the loop's own optimizer while the rate grows from step to step.
Shows: the rate that is recommended (that of the lowest smoothed loss, times 0.3), the largest that did not diverge, and the loop's
  own beside them.
Misleads: it guards against blunders and does not beat a good constant (measured: rank correlation with the best rate 0.56). With few
  steps of noisy loss the lowest point is uncertain by a factor of 3.
Source: Smith 2017, arXiv:1506.01186; the factor 0.3 was measured on 17 tables: it loses 5 % of the gap, a tenth of the rate 22 %,
  the steepest descent 59 %.
"""

from __future__ import annotations

import math
from itertools import islice, pairwise
from typing import Final

from liebig.core.evidence import RateRange
from liebig.train.active.learning import learn, optimizers_at
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.workbench import Bench, Refused, train_mode

_STEPS: Final = 120
_MOST_STEPS: Final = 400  # of tiny batches
_ROWS: Final = 1_600  # that are read at least: the loss of fewer is too noisy
_LEAST: Final = 40
#: Standard errors by which the smoothed loss must fall somewhere.
_SURE: Final = 2.0
_LOWEST: Final = 1e-6
_HIGHEST: Final = 10.0
_SMOOTHING: Final = 0.9
_SHARE: Final = 0.3
_HOPELESS: Final = 4.0  # times the lowest loss: the test ends
#: A smoothed loss that rose to this share of what had been won at the lowest, or above the first, has diverged.
_LOST: Final = 0.5


class RateRangeProbe(ActiveProbe):
    """Smoothed loss at growing rates."""

    makes = RateRange
    share = 0.2

    def measure(self, bench: Bench) -> RateRange:
        if not bench.copy.optimizers:
            raise Refused("no optimizer was given")
        most = max(_STEPS, min(_MOST_STEPS, _ROWS // bench.batch))
        steps = bench.steps_within(0.9, most, _LEAST)
        smoothing = _SMOOTHING ** (_STEPS / max(steps, _STEPS))
        growth = (_HIGHEST / _LOWEST) ** (1.0 / (steps - 1))
        rates = [_LOWEST * growth**step for step in range(steps)]
        bench.copy.to_start()
        train_mode(bench)
        optimizers = optimizers_at(bench, 1.0)
        parts = [(group, float(group["lr"])) for each in optimizers for group in each.param_groups]
        smoothed: list[float] = []
        mean = 0.0

        def at(step: int) -> None:
            for group, part in parts:
                group["lr"] = rates[step] * part

        def is_over(step: int, loss: float) -> bool:
            nonlocal mean
            mean = smoothing * mean + (1 - smoothing) * loss
            smoothed.append(mean / (1 - smoothing ** (step + 1)))
            return abs(smoothed[-1]) > _HOPELESS * abs(min(smoothed)) and smoothed[-1] > smoothed[0]

        batches = islice(bench.train.endless(bench.batch, bench.generator(3)), steps)
        losses = learn(bench, optimizers, batches, before=at, stop=is_over)
        if len(smoothed) < len(rates) and not _has_ended(smoothed, losses):
            raise Refused("the time was over before the rates had grown")
        if not _falls(smoothed, losses, 1.0 / (1.0 - smoothing)):
            return RateRange(tuple(rates[: len(smoothed)]), tuple(smoothed), bench.rate, math.nan, math.nan)
        return _told(rates[: len(smoothed)], smoothed, bench.rate)


def _told(rates: list[float], smoothed: list[float], used: float) -> RateRange:
    if not smoothed:
        raise Refused("the loss is not finite at the first step")
    lowest = min(range(len(smoothed)), key=smoothed.__getitem__)
    limit = smoothed[lowest] + _LOST * max(smoothed[0] - smoothed[lowest], 0.0)
    after = [i for i in range(lowest, len(smoothed)) if smoothed[i] > limit]
    largest = rates[after[0] - 1] if after else rates[-1]
    return RateRange(tuple(rates), tuple(smoothed), used, _SHARE * rates[lowest], largest)


def _has_ended(smoothed: list[float], losses: list[float]) -> bool:
    """Whether the test ended because the loss rose or was no longer finite."""
    return bool(losses) and (not math.isfinite(losses[-1]) or (len(smoothed) > 1 and smoothed[-1] > smoothed[0]))


def _falls(smoothed: list[float], losses: list[float], window: float) -> bool:
    """Whether some rate made the loss fall by more than batches differ: else its lowest point is chance.

    Raises Refused where the loss was not finite long enough to tell. The noise of a loss is read off neighbouring steps up to the lowest point; `window` steps are averaged by the smoothing.
    """
    lowest = min(range(len(smoothed)), key=smoothed.__getitem__) if smoothed else 0
    steps = [b - a for a, b in pairwise(losses[: max(lowest + 1, 10)]) if math.isfinite(a) and math.isfinite(b)]
    if len(steps) < 2:
        raise Refused("the loss is not finite from the first steps on")
    noise = math.sqrt(sum(each * each for each in steps) / (2 * len(steps)))
    return smoothed[0] - smoothed[lowest] >= _SURE * noise / math.sqrt(window)
