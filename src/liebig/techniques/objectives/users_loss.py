"""The user's own loss.

Does: calls the user's function of (answer, target) as it is, and makes its value small. What is evaluated beside it
    is the plain cross-entropy, or the squared error.
Helps: whenever training is exactly what the user does: no loss of ours says the same.
Misleads: its value cannot be compared with another loss; a sum over the batch makes the rate depend on the batch size.
Source: the user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from liebig.techniques.objectives.answers import (
    class_probabilities,
    judged_cross_entropy,
    judged_squared_error,
    mean_number,
)
from liebig.techniques.objectives.places import PlacesStage
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Ground, ObjectiveSettings, ObjectiveStage


class UsersLoss(ObjectiveSettings):
    """`name` says which function it was; the function itself no recipe can hold."""

    kind: Literal["users-loss"] = "users-loss"
    name: str = ""

    def as_script(self, ground: ScriptGround) -> Script | None:
        return Script(loss=(f"loss = {ground.loss}(outputs, y)",)) if ground.loss else None

    @classmethod
    def stage(cls, records: Sequence[UsersLoss], ground: Ground) -> ObjectiveStage:  # type: ignore[override]  # its own records
        return PlacesStage(ground.places) if ground.places is not None else UsersLossStage(ground.is_classification)


@dataclass(frozen=True, slots=True, eq=False)
class UsersLossStage(ObjectiveStage):
    """K losses of the user's. They are called where the network is (it answers in a form of its own): a network that is not
    the user's is trained on the plain loss."""

    is_classification: bool

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.judged(outputs, target)

    def judged(self, outputs: Tensor, target: Tensor) -> Tensor:
        return (
            judged_cross_entropy(outputs, target) if self.is_classification else judged_squared_error(outputs, target)
        )

    def predictions(self, outputs: Tensor) -> Tensor:
        return class_probabilities(outputs) if self.is_classification else mean_number(outputs)
