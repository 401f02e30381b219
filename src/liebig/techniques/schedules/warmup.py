"""Warm-up: the rate grows linearly over the first steps."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

#: Share of all steps over which the rate grows.
WarmupShare = Annotated[float, Field(ge=0, le=0.9)]


def warmup_steps(share: float, total_steps: int) -> int:
    """How many steps warm up: a share that is not zero gives at least one. Rounded up, but for rounding errors of the
    share itself (0.1 of 10 steps is one)."""
    return math.ceil(share * total_steps - 1e-9)


def warmed(step: int, share: float, total_steps: int) -> float:
    """1 after the warm-up, before that (step + 1) / (steps of the warm-up): step 0 already moves."""
    steps = warmup_steps(share, total_steps)
    return (step + 1) / steps if step < steps else 1.0
