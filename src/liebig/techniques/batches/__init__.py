"""How is a batch altered before it is trained on? One file for each way."""

from __future__ import annotations

from typing import Final

from liebig.techniques.batches.feature_noise import FeatureNoise
from liebig.techniques.batches.mixup import Mixup
from liebig.techniques.stage import Technique

ALL: Final[tuple[type[Technique], ...]] = (Mixup, FeatureNoise)

__all__ = ["ALL", "FeatureNoise", "Mixup"]
