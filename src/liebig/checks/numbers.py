"""Ramps, medians, slopes: arithmetic that knows nothing of networks, and that no number can break."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median


def ramp(value: float, low: float, high: float) -> float:
    """0 at `low` and below, 1 at `high` and above, straight between; `low` may be the larger. NaN gives 0."""
    if math.isnan(value):
        return 0.0
    return min(1.0, max(0.0, (value - low) / (high - low)))


def log_ramp(value: float, low: float, high: float) -> float:
    """`ramp` on a logarithmic scale; values that are not above zero count as the smallest."""
    if math.isnan(value):
        return 0.0
    return ramp(math.log(max(value, 1e-300)), math.log(low), math.log(high))


def finite(values: Iterable[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


def middle(values: Iterable[float]) -> float:
    """The median of what is finite; NaN where nothing is."""
    known = finite(values)
    return median(known) if known else math.nan


def over(value: float, other: float) -> float:
    """`value` over `other`; NaN where that says nothing."""
    return value / other if other > 0 and math.isfinite(other) else math.nan


def scaled_to_hint(strength: float) -> float:
    """A strength that can never become a warning."""
    return min(0.49, strength)


def slope(values: Sequence[float]) -> float:
    """Least-squares slope by step of a sequence; 0 for fewer than two values."""
    n = len(values)
    if n < 2:
        return 0.0
    mean = sum(values) / n
    centre = (n - 1) / 2
    return sum((i - centre) * (value - mean) for i, value in enumerate(values)) / sum(
        (i - centre) ** 2 for i in range(n)
    )


def one_digit(value: float) -> float:
    """A number as one would say it: 0.0034 is 0.003; NaN stays."""
    if not math.isfinite(value) or value <= 0:
        return value
    return float(f"{value:.0e}")
