"""What does training make small? One file for each objective."""

from __future__ import annotations

from typing import Final

from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.objectives.focal import Focal
from liebig.techniques.objectives.generalised_cross_entropy import GeneralisedCrossEntropy
from liebig.techniques.objectives.huber import Huber
from liebig.techniques.objectives.mae import MAE
from liebig.techniques.objectives.mse import MSE
from liebig.techniques.objectives.quantile import Quantile
from liebig.techniques.stage import ObjectiveSettings

ALL: Final[tuple[type[ObjectiveSettings], ...]] = (
    CrossEntropy,
    Focal,
    GeneralisedCrossEntropy,
    MSE,
    MAE,
    Huber,
    Quantile,
)
#: Objectives of a classification; the others are for numbers.
FOR_CLASSES: Final[tuple[type[ObjectiveSettings], ...]] = (CrossEntropy, Focal, GeneralisedCrossEntropy)

__all__ = ["ALL", "FOR_CLASSES", "MAE", "MSE", "CrossEntropy", "Focal", "GeneralisedCrossEntropy", "Huber", "Quantile"]
