"""What is learnt before any label is read? One file for each way."""

from __future__ import annotations

from typing import Final

from liebig.techniques.pretraining.autoencoder import Autoencoder
from liebig.techniques.pretraining.masked_features import MaskedFeatures
from liebig.techniques.pretraining.masked_patches import MaskedPatches
from liebig.techniques.stage import Pretraining

ALL: Final[tuple[type[Pretraining], ...]] = (Autoencoder, MaskedFeatures, MaskedPatches)
#: Of these, what stands in a recipe for pictures only.
FOR_PICTURES: Final[tuple[type[Pretraining], ...]] = (MaskedPatches,)

__all__ = ["ALL", "FOR_PICTURES", "Autoencoder", "MaskedFeatures", "MaskedPatches"]
