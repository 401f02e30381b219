"""What do large weights cost? One file for each way."""

from __future__ import annotations

from typing import Final

from liebig.techniques.penalties.l1 import L1
from liebig.techniques.penalties.l2 import L2
from liebig.techniques.penalties.max_norm import MaxNorm
from liebig.techniques.stage import Technique

ALL: Final[tuple[type[Technique], ...]] = (L1, L2, MaxNorm)

__all__ = ["ALL", "L1", "L2", "MaxNorm"]
