"""Which weights answer in the end? One file for each rule of averaging."""

from __future__ import annotations

from typing import Final

from liebig.techniques.averaging.ema import EMA
from liebig.techniques.averaging.snapshot_ensemble import SnapshotEnsemble
from liebig.techniques.averaging.swa import SWA
from liebig.techniques.stage import Technique

ALL: Final[tuple[type[Technique], ...]] = (EMA, SWA, SnapshotEnsemble)

__all__ = ["ALL", "EMA", "SWA", "SnapshotEnsemble"]
