"""With which weights does training begin? One file for each way."""

from __future__ import annotations

from typing import Final

from liebig.techniques.initialisations.base_rate_bias import BaseRateBias
from liebig.techniques.initialisations.forget_bias import ForgetBias
from liebig.techniques.initialisations.he import He
from liebig.techniques.initialisations.lecun import LeCun
from liebig.techniques.initialisations.orthogonal import Orthogonal
from liebig.techniques.initialisations.orthogonal_steps import OrthogonalSteps
from liebig.techniques.initialisations.small_normal import SmallNormal
from liebig.techniques.initialisations.standard_normal import StandardNormal
from liebig.techniques.initialisations.variance_calibration import VarianceCalibration
from liebig.techniques.initialisations.whiten_patches import WhitenPatches
from liebig.techniques.initialisations.xavier import Xavier
from liebig.techniques.initialisations.zero import Zero
from liebig.techniques.stage import Technique

ALL: Final[tuple[type[Technique], ...]] = (
    StandardNormal,
    SmallNormal,
    Zero,
    Xavier,
    He,
    LeCun,
    Orthogonal,
    BaseRateBias,
    VarianceCalibration,
    WhitenPatches,
    OrthogonalSteps,
    ForgetBias,
)

#: What prepares networks that read pictures.
FOR_PICTURES: Final[tuple[type[Technique], ...]] = (WhitenPatches,)

#: What prepares networks that go from step to step.
FOR_SEQUENCES: Final[tuple[type[Technique], ...]] = (OrthogonalSteps, ForgetBias)

__all__ = [
    "ALL",
    "FOR_PICTURES",
    "FOR_SEQUENCES",
    "BaseRateBias",
    "ForgetBias",
    "He",
    "LeCun",
    "Orthogonal",
    "OrthogonalSteps",
    "SmallNormal",
    "StandardNormal",
    "VarianceCalibration",
    "WhitenPatches",
    "Xavier",
    "Zero",
]
