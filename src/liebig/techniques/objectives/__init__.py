"""What is made small? The loss and the output activation are one choice. One file each; the sum type stands here."""

from typing import Annotated, Final

from pydantic import Field

from liebig.core.settings import BY_KIND
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.objectives.focal import Focal
from liebig.techniques.objectives.huber import Huber
from liebig.techniques.objectives.mae import MAE
from liebig.techniques.objectives.mse import MSE
from liebig.techniques.objectives.quantile import Quantile
from liebig.techniques.stage import ObjectiveSettings

#: Objectives for classes, and those for numbers.
FOR_CLASSES: Final[tuple[type[ObjectiveSettings], ...]] = (CrossEntropy, Focal)
FOR_NUMBERS: Final[tuple[type[ObjectiveSettings], ...]] = (MSE, MAE, Huber, Quantile)
ALL: Final[tuple[type[ObjectiveSettings], ...]] = FOR_CLASSES + FOR_NUMBERS

AnyObjective = Annotated[CrossEntropy | Focal | MSE | MAE | Huber | Quantile, Field(discriminator="kind"), BY_KIND]
