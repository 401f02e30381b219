"""How is a batch altered before it is trained on? One file for each way."""

from __future__ import annotations

from typing import Final

from liebig.techniques.batches.colour_jitter import ColourJitter
from liebig.techniques.batches.cut_mix import CutMix
from liebig.techniques.batches.cutout import Cutout
from liebig.techniques.batches.feature_noise import FeatureNoise
from liebig.techniques.batches.mixup import Mixup
from liebig.techniques.batches.rand_augment import RandAugment
from liebig.techniques.batches.random_affine import RandomAffine
from liebig.techniques.batches.random_crop import RandomCrop
from liebig.techniques.batches.random_flip import RandomFlip
from liebig.techniques.batches.series_crop import SeriesCrop
from liebig.techniques.batches.series_jitter import SeriesJitter
from liebig.techniques.batches.series_scaling import SeriesScaling
from liebig.techniques.batches.series_warp import SeriesWarp
from liebig.techniques.stage import Technique

#: Augmentations of pictures: they stand only in a recipe that reads pictures.
FOR_PICTURES: Final[tuple[type[Technique], ...]] = (
    RandomCrop,
    RandomFlip,
    RandomAffine,
    ColourJitter,
    RandAugment,
    CutMix,
    Cutout,
)

#: Augmentations of sequences, likewise.
FOR_SEQUENCES: Final[tuple[type[Technique], ...]] = (SeriesJitter, SeriesScaling, SeriesWarp, SeriesCrop)

ALL: Final[tuple[type[Technique], ...]] = (Mixup, FeatureNoise, *FOR_PICTURES, *FOR_SEQUENCES)

__all__ = [
    "ALL",
    "FOR_PICTURES",
    "FOR_SEQUENCES",
    "ColourJitter",
    "CutMix",
    "Cutout",
    "FeatureNoise",
    "Mixup",
    "RandAugment",
    "RandomCrop",
    "RandomFlip",
    "SeriesCrop",
    "SeriesJitter",
    "SeriesScaling",
    "SeriesWarp",
]
