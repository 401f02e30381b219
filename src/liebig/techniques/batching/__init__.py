"""Which rows come next, and how many at a time? One file for each rule."""

from __future__ import annotations

from typing import Final

from liebig.techniques.batching.balanced import Balanced
from liebig.techniques.batching.in_order import InOrder
from liebig.techniques.batching.own_order import OwnOrder
from liebig.techniques.batching.shuffled import Shuffled
from liebig.techniques.stage import BatchingSettings

ALL: Final[tuple[type[BatchingSettings], ...]] = (Shuffled, Balanced, InOrder, OwnOrder)

__all__ = ["ALL", "Balanced", "InOrder", "OwnOrder", "Shuffled"]
