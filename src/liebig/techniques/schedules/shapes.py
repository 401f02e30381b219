"""Pieces that schedules are made of."""

from __future__ import annotations

import math


def warmed(step: int, steps: int) -> float:
    """Linear from 1/steps to 1 over the first `steps`; 1 after, and where there are none."""
    return min(1.0, (step + 1) / steps) if steps > 0 else 1.0


def cosine_between(start: float, end: float, share: float) -> float:
    """From `start` to `end` along half a cosine, `share` in 0..1."""
    return end + (start - end) * (1.0 + math.cos(math.pi * min(1.0, max(0.0, share)))) / 2.0
