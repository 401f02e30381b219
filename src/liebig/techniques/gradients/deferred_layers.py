"""Deferred layers (gradual unfreezing).

Does: trains the output layer alone first; every `epochs` epochs the next group of layers below it is trained, too. `together`
    lets all of them join after the first `epochs`: frozen, then unfrozen.
Helps: layers that were pretrained and are trained on: their features are not spoilt while the output layer knows nothing yet.
Misleads: short trainings end before the lower layers have begun; networks that start from nothing need all of them.
Source: Howard & Ruder 2018, arXiv:1801.06146, section 3.3; Kumar et al. 2022, arXiv:2202.10054 (the output layer first, then
    everything).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.techniques.gradients.groups import depths, needs_own_layers
from liebig.techniques.stage import Ground, Stage, Technique


class DeferredLayers(Technique):
    """`epochs` until the next group is trained, or with `together` until all are."""

    kind: Literal["deferred-layers"] = "deferred-layers"
    epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    together: bool = False

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_own_layers(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[DeferredLayers], ground: Ground) -> DeferredStage:  # type: ignore[override]  # its own records
        apart = depths(ground.specs)
        depth = tuple(min(each, 1) for each in apart) if records[0].together else apart
        return DeferredStage(records[0].epochs * ground.steps_per_epoch, depth)


@dataclass(frozen=True, slots=True, eq=False)
class DeferredStage(Stage):
    """`steps` until the next group is trained; `depth` of each parameter below the output layer. The state are the weights before the
    step, to which frozen ones go back."""

    steps: int
    depth: tuple[int, ...]

    def start(self, weights: list[Tensor]) -> list[Tensor]:
        return [each.clone() for each in weights]

    def after_step(self, weights: list[Tensor], state: list[Tensor], step: int) -> list[Tensor]:
        for weight, before, depth in zip(weights, state, self.depth, strict=True):
            if step < depth * self.steps:
                weight.copy_(before)
            else:
                before.copy_(weight)
        return state
