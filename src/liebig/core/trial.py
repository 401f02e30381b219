"""Trials and their verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a trial says of its treatment."""

    PROVEN = "proven"
    LIKELY = "likely"
    EQUAL = "equal"
    UNCLEAR = "unclear"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of one treatment after `blocks` blocks. Scores are oriented: a positive difference is better.

    `low` and `high` are the interval at this look's level: it excludes zero upward exactly when Proven (by this look).
    `d_variance` is V, `block_variance` s2, `noise` X, `common` C, `spread` phi, `degrees` nu, `threshold` a of the procedure.
    `loss_z` is z of minus the log-loss, `loss_difference` its D (NaN for regression). `seconds_ratio` is control seconds / treatment seconds (>1:
    faster), with its interval.
    """

    blocks: int
    difference: float
    low: float
    high: float
    verdict: Verdict
    better: float  # probability of being better
    z: float
    p: float
    d_variance: float
    block_variance: float
    noise: float
    common: float
    spread: float
    degrees: float
    threshold: float
    estimate: float  # shrunk gain, D tau2 / (tau2 + V)
    loss_z: float = float("nan")
    seconds_ratio: float = float("nan")
    seconds_low: float = float("nan")
    seconds_high: float = float("nan")
    loss_difference: float = float("nan")
