"""When does training end, and which weights are handed over? One file for each rule."""

from __future__ import annotations

from typing import Final

from liebig.techniques.stage import StoppingSettings
from liebig.techniques.stopping.best_epoch import BestEpoch
from liebig.techniques.stopping.early_stopping import EarlyStopping
from liebig.techniques.stopping.epochs import FixedEpochs

ALL: Final[tuple[type[StoppingSettings], ...]] = (FixedEpochs, EarlyStopping, BestEpoch)

__all__ = ["ALL", "BestEpoch", "EarlyStopping", "FixedEpochs"]
