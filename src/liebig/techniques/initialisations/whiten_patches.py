"""Patch whitening.

Does: before the first step sets the first convolution of a `whitened-cnn` to the main directions in which the patches of a first
    batch vary, each divided by its spread and with both signs; the weights are trained on from there. Other networks are left
    as they are.
Helps: the layers behind begin with inputs that are neither correlated nor of unlike size, and learn sooner.
Misleads: pictures smaller than a patch are left as they are. Patches of one tone have no directions; what is left of them is noise, which the small constant holds down.
Source: Jordan 2024, arXiv:2404.00498, section 3.1; Page 2018, "How to Train Your ResNet", part 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from liebig.core.recipe import Recipe
from liebig.stack.batch import Batch, for_members
from liebig.techniques.stage import Ground, Stage, Technique, Trial

_WEIGHT: Final = "whitening.weight"


class WhitenPatches(Technique):
    """`least` is added to the variance of each direction, as a share of their mean."""

    kind: Literal["whiten-patches"] = "whiten-patches"
    least: Annotated[float, Field(gt=0, le=1)] = 0.01

    def conflicts(self, recipe: Recipe) -> str | None:
        if recipe.inputs.kind != "pictures":
            return f"technique {self.kind} looks at pictures, however the inputs are of kind {recipe.inputs.kind}"
        return None

    @classmethod
    def stage(cls, records: Sequence[WhitenPatches], ground: Ground) -> WhiteningStage:  # type: ignore[override]  # its own records
        place = next((i for i, spec in enumerate(ground.specs) if spec.name == _WEIGHT), None)
        return WhiteningStage(place, records[0].least)


@dataclass(frozen=True, slots=True, eq=False)
class WhiteningStage(Stage):
    """`place` says where in the list of weights the first convolution's lie."""

    place: int | None
    least: float

    def prepare(self, weights: list[Tensor], seeds: Sequence[int], batch: Batch, forward: Trial) -> list[Tensor]:
        if self.place is None:
            return weights
        pictures, weight = for_members(batch.dense, batch.member_group), weights[self.place].clone()
        _, filters, channels, side, _ = weight.shape
        if min(pictures.shape[3:]) < side:
            return weights
        for own, seen in zip(weight, pictures, strict=True):
            patches = functional.unfold(seen.float(), side).transpose(1, 2).reshape(-1, channels * side * side)
            found = _directions(patches.double(), self.least)[: filters // 2].view(-1, channels, side, side)
            count = len(found)
            own[:count], own[count : 2 * count] = found, -found
        changed = list(weights)
        changed[self.place] = weight
        return changed


def _directions(patches: Tensor, least: float) -> Tensor:
    """Directions of `patches` [n, d], the widest first, each scaled so that what it answers has unit variance: float32 [d, d]."""
    covariance = patches.T @ patches / len(patches)
    variances, directions = torch.linalg.eigh(covariance)
    scale = (variances.clamp_min(0.0) + least * variances.mean().clamp_min(1e-12)).rsqrt()
    found: Tensor = (directions * scale).T.flip(0).float()
    return found
