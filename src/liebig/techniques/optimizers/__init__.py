"""How does a gradient become a step? One file for each optimizer."""

from __future__ import annotations

from typing import Final

from liebig.techniques.optimizers.adam import Adam
from liebig.techniques.optimizers.adamw import AdamW
from liebig.techniques.stage import OptimizerSettings

ALL: Final[tuple[type[OptimizerSettings], ...]] = (Adam, AdamW)
