"""Generalised cross-entropy.

Does: (1 - p^q) / q for the probability p that the true class gets: near 0 of `q` it is cross-entropy, at 1 the absolute error,
    which a wrong label pulls with a bounded force.
Helps: training labels of which a part is wrong.
Misleads: learns more slowly, and with many classes too little, as `q` grows; clean labels need none of it.
Source: Zhang & Sabuncu 2018, arXiv:1805.07836, equation 6.
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


class GeneralisedCrossEntropy(ObjectiveSettings):
    """Settings of the generalised cross-entropy."""

    kind: Literal["generalised-cross-entropy"] = "generalised-cross-entropy"
    q: Annotated[float, Field(gt=0, le=1), STACKABLE] = 0.7

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(
            helpers=(LOGARITHMS_WRITTEN,),
            loss=(
                "logs = class_logarithms(outputs)",
                f"loss = -(wanted_shares(y, logs.shape[1]) * torch.expm1({self.q!r} * logs) / {self.q!r}).sum(dim=1).mean()",
            ),
        )

    @classmethod
    def stage(cls, records: Sequence[GeneralisedCrossEntropy], ground: Ground) -> GeneralisedStage:  # type: ignore[override]  # its own records
        return GeneralisedStage(scalars(records, "q", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class GeneralisedStage(ObjectiveStage):
    """K generalised cross-entropies; `q` [K]."""

    q: Tensor

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        logarithms = class_logarithms(outputs)
        wanted = class_shares_wanted(target, logarithms.shape[-1])
        if outputs.ndim == 4:
            wanted = wanted.unsqueeze(2)
        q = self.q.view(-1, *(1,) * (logarithms.ndim - 1))
        # p^q - 1 by expm1, which keeps its digits where p is near 1
        return -(wanted * torch.expm1(q * logarithms) / q).sum(dim=-1)

    def judged(self, outputs: Tensor, target: Tensor) -> Tensor:
        return judged_cross_entropy(outputs, target)

    def predictions(self, outputs: Tensor) -> Tensor:
        return class_probabilities(outputs)
