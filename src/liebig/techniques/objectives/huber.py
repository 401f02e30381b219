"""Huber loss.

Does: half the squared error up to a distance of `delta`, beyond that a straight line: far values pull with a bounded force.
Helps: regression whose target has a few wild values.
Misleads: `delta` is in units of the encoded target (standard deviations, once that is standardised); where the metric is
    RMSE the far values do count.
Source: Huber 1964; equals torch's huber_loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.settings import STACKABLE
from liebig.stack.tree import scalars
from liebig.techniques.objectives.answers import judged_squared_error, mean_number, single_answers
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Ground, ObjectiveSettings, ObjectiveStage


class Huber(ObjectiveSettings):
    """Settings of the Huber loss."""

    kind: Literal["huber"] = "huber"
    delta: Annotated[float, Field(gt=0, le=1e6), STACKABLE] = 1.0

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(
            loss=(f"loss = functional.huber_loss(outputs.flatten(), y.float().flatten(), delta={self.delta!r})",)
        )

    @classmethod
    def stage(cls, records: Sequence[Huber], ground: Ground) -> HuberStage:  # type: ignore[override]  # its own records
        return HuberStage(scalars(records, "delta", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class HuberStage(ObjectiveStage):
    """K Huber losses; `delta` [K]."""

    delta: Tensor

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        answered, wanted = single_answers(outputs, target)
        distance = (answered - wanted).abs()
        near = torch.minimum(distance, self.delta.view(-1, *(1,) * (distance.ndim - 1)))
        # Half the square of the near part, and the rest along the line that touches it.
        return near * (distance - 0.5 * near)

    def judged(self, outputs: Tensor, target: Tensor) -> Tensor:
        return judged_squared_error(outputs, target)

    def predictions(self, outputs: Tensor) -> Tensor:
        return mean_number(outputs)
