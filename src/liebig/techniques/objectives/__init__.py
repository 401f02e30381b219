"""What does training make small? One file for each objective."""

from __future__ import annotations

from typing import Final

from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.objectives.mse import MSE
from liebig.techniques.stage import ObjectiveSettings

ALL: Final[tuple[type[ObjectiveSettings], ...]] = (CrossEntropy, MSE)
