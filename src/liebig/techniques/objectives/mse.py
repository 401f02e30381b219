"""Mean squared error.

Does: the square of the difference.
Helps: the default for numbers: its best answer is the mean, and RMSE judges by it.
Misleads: a few far values decide; standardise the target first, or steps are as large as the target.
Source: Gauss 1809; torch.nn.functional.mse_loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from liebig.techniques.objectives.shapes import beside_answers, judged_numbers, numbers
from liebig.techniques.stage import Ground, ObjectiveSettings, ObjectiveStage


@dataclass(frozen=True, slots=True, eq=False)
class MSEStage(ObjectiveStage):
    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        error = outputs[..., 0] - beside_answers(target, outputs)
        return error**2

    def judged(self, outputs: Tensor, target: Tensor) -> Tensor:
        return judged_numbers(outputs, target)

    def predictions(self, outputs: Tensor) -> Tensor:
        return numbers(outputs)


class MSE(ObjectiveSettings):
    """Mean squared error."""

    kind: Literal["mse"] = "mse"

    @classmethod
    def stage(cls, records: Sequence[ObjectiveSettings], ground: Ground) -> ObjectiveStage:
        return MSEStage()
