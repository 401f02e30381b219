"""What happens to gradients before the step? One file for each way."""

from __future__ import annotations

from typing import Final

from liebig.techniques.gradients.clip_norm import ClipNorm
from liebig.techniques.gradients.clip_value import ClipValue
from liebig.techniques.gradients.deferred_layers import DeferredLayers
from liebig.techniques.gradients.discriminative_rates import DiscriminativeRates
from liebig.techniques.stage import Technique

ALL: Final[tuple[type[Technique], ...]] = (ClipNorm, ClipValue, DiscriminativeRates, DeferredLayers)

__all__ = ["ALL", "ClipNorm", "ClipValue", "DeferredLayers", "DiscriminativeRates"]
