"""Discriminative rates.

Does: multiplies the steps of each group of layers by `factor` for each group between it and the output layer. A group is a stage, a
    block or a layer, as the parameters' names say.
Helps: a backbone that is trained on: its first layers hold what all pictures share, and need the least change.
Misleads: networks that start from nothing: their first layers then hardly learn.
Source: Howard & Ruder 2018, arXiv:1801.06146, section 3.2 (discriminative fine-tuning; there the factor is 1 / 2.6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.core.settings import STACKABLE
from liebig.stack.beside import beside
from liebig.stack.tree import scalars
from liebig.techniques.gradients.groups import depths, needs_own_layers
from liebig.techniques.stage import Ground, Stage, Technique


class DiscriminativeRates(Technique):
    """`factor` of each group to the one behind it."""

    kind: Literal["discriminative-rates"] = "discriminative-rates"
    factor: Annotated[float, Field(gt=0, lt=1), STACKABLE] = 0.4

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_own_layers(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[DiscriminativeRates], ground: Ground) -> DiscriminativeStage:  # type: ignore[override]  # its own records
        return DiscriminativeStage(scalars(records, "factor", ground.device), depths(ground.specs))


@dataclass(frozen=True, slots=True, eq=False)
class DiscriminativeStage(Stage):
    """K factors [K]; `depth` of each parameter below the output layer. The state are the weights before the step: whatever the
    optimizer does, its step is what is scaled."""

    factor: Tensor
    depth: tuple[int, ...]

    def start(self, weights: list[Tensor]) -> list[Tensor]:
        return [each.clone() for each in weights]

    def after_step(self, weights: list[Tensor], state: list[Tensor], step: int) -> list[Tensor]:
        for weight, before, depth in zip(weights, state, self.depth, strict=True):
            if depth:
                weight.copy_(torch.lerp(before, weight, beside(self.factor**depth, weight)))
            before.copy_(weight)
        return state
