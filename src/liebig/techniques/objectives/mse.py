"""Mean squared error.

Does: the squared difference between the number answered and the number wanted, as the target is encoded.
Helps: regression judged by RMSE or R2; on a standardised target the first loss is about 1.
Misleads: a few far values rule it; a target that is not scaled makes every rate wrong (measured: -301 % of the gap).
Source: Gauss 1809; equals torch's mse_loss.
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


class MSE(ObjectiveSettings):
    """Settings of the mean squared error."""

    kind: Literal["mse"] = "mse"

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(loss=("loss = functional.mse_loss(outputs.flatten(), y.float().flatten())",))

    @classmethod
    def stage(cls, records: Sequence[MSE], ground: Ground) -> MSEStage:  # type: ignore[override]  # its own records
        return MSEStage()


@dataclass(frozen=True, slots=True, eq=False)
class MSEStage(ObjectiveStage):
    """K squared errors."""

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return functional.mse_loss(*single_answers(outputs, target), reduction="none")

    def judged(self, outputs: Tensor, target: Tensor) -> Tensor:
        return judged_squared_error(outputs, target)

    def predictions(self, outputs: Tensor) -> Tensor:
        return mean_number(outputs)
