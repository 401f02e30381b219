"""What is learnt before any label is read? One file for each way."""

from __future__ import annotations

from typing import Final

from liebig.techniques.pretraining.autoencoder import Autoencoder
from liebig.techniques.pretraining.masked_patches import MaskedPatches
from liebig.techniques.stage import Pretraining

ALL: Final[tuple[type[Pretraining], ...]] = (Autoencoder, MaskedPatches)

__all__ = ["ALL", "Autoencoder", "MaskedPatches"]
