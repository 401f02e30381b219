"""Focal loss.

Does: cross-entropy in which each row counts by (1 - probability of its class) to the power `gamma`: what is already right
    hardly counts. A gamma of 0 is cross-entropy.
Helps: many easy rows of a common class that drown a rare one.
Misleads: probabilities come out too timid: calibrate them before they are read; noisy labels are the hardest rows of all.
Source: Lin et al. 2017, arXiv:1708.02002, equation 4.
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
from liebig.techniques.objectives.answers import (
    LOGARITHMS_WRITTEN,
    class_logarithms,
    class_probabilities,
    class_shares_wanted,
    judged_cross_entropy,
)
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Ground, ObjectiveSettings, ObjectiveStage


class Focal(ObjectiveSettings):
    """Settings of the focal loss."""

    kind: Literal["focal"] = "focal"
    gamma: Annotated[float, Field(ge=0, le=20), STACKABLE] = 2.0

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(
            helpers=(LOGARITHMS_WRITTEN,),
            loss=(
                "logs = class_logarithms(outputs)",
                "missing = -torch.expm1(logs.clamp(max=-1e-7))",
                f"loss = -(wanted_shares(y, logs.shape[1]) * missing ** {self.gamma!r} * logs).sum(dim=1).mean()",
            ),
        )

    @classmethod
    def stage(cls, records: Sequence[Focal], ground: Ground) -> FocalStage:  # type: ignore[override]  # its own records
        return FocalStage(scalars(records, "gamma", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class FocalStage(ObjectiveStage):
    """K focal losses; `gamma` [K]."""

    gamma: Tensor

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        logarithms = class_logarithms(outputs)
        wanted = class_shares_wanted(target, logarithms.shape[-1])
        if outputs.ndim == 4:
            wanted = wanted.unsqueeze(2)
        gamma = self.gamma.view(-1, *(1,) * (logarithms.ndim - 1))
        # 1 - p is never quite 0, where the slope of its power would be infinite for a gamma below 1.
        missing = -torch.expm1(logarithms.clamp(max=-1e-7))
        return -(wanted * missing**gamma * logarithms).sum(dim=-1)

    def judged(self, outputs: Tensor, target: Tensor) -> Tensor:
        return judged_cross_entropy(outputs, target)

    def predictions(self, outputs: Tensor) -> Tensor:
        return class_probabilities(outputs)
