"""Quantile loss.

Does: weighs answers that are too low by `quantile` and those too high by 1 - `quantile`: its best answer is that quantile of
    the target. 0.5 is half the absolute error.
Helps: where being short costs more than being over: stock, waiting times; lower and upper ends of a range.
Misleads: scored by RMSE it loses to the squared error by construction; far quantiles need many rows.
Source: Koenker & Bassett 1978; equals scikit-learn's mean_pinball_loss.
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


class Quantile(ObjectiveSettings):
    """Settings of the quantile loss."""

    kind: Literal["quantile"] = "quantile"
    quantile: Annotated[float, Field(gt=0, lt=1), STACKABLE] = 0.5

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(
            loss=(
                "short = y.float().flatten() - outputs.flatten()",
                f"loss = torch.maximum({self.quantile!r} * short, {self.quantile - 1.0!r} * short).mean()",
            )
        )

    @classmethod
    def stage(cls, records: Sequence[Quantile], ground: Ground) -> QuantileStage:  # type: ignore[override]  # its own records
        return QuantileStage(scalars(records, "quantile", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class QuantileStage(ObjectiveStage):
    """K quantile losses; `quantile` [K]."""

    quantile: Tensor

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        answered, wanted = single_answers(outputs, target)
        short = wanted - answered
        quantile = self.quantile.view(-1, *(1,) * (short.ndim - 1))
        return torch.maximum(quantile * short, (quantile - 1.0) * short)

    def judged(self, outputs: Tensor, target: Tensor) -> Tensor:
        return judged_squared_error(outputs, target)

    def predictions(self, outputs: Tensor) -> Tensor:
        return mean_number(outputs)
