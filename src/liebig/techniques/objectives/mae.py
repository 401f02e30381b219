"""Mean absolute error.

Does: the distance between the number answered and the number wanted; its best answer is the median.
Helps: regression with wild values that should not rule.
Misleads: worse than the squared error where the metric is RMSE; its slope is the same near and far, so that the rate must
    decay for it to settle.
Source: Laplace 1774; equals torch's l1_loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn import functional

from liebig.techniques.objectives.answers import judged_squared_error, mean_number, single_answers
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Ground, ObjectiveSettings, ObjectiveStage


class MAE(ObjectiveSettings):
    """Settings of the mean absolute error."""

    kind: Literal["mae"] = "mae"

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(loss=("loss = functional.l1_loss(outputs.flatten(), y.float().flatten())",))

    @classmethod
    def stage(cls, records: Sequence[MAE], ground: Ground) -> MAEStage:  # type: ignore[override]  # its own records
        return MAEStage()


@dataclass(frozen=True, slots=True, eq=False)
class MAEStage(ObjectiveStage):
    """K absolute errors."""

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return functional.l1_loss(*single_answers(outputs, target), reduction="none")

    def judged(self, outputs: Tensor, target: Tensor) -> Tensor:
        return judged_squared_error(outputs, target)

    def predictions(self, outputs: Tensor) -> Tensor:
        return mean_number(outputs)
