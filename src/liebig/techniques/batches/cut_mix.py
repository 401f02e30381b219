"""CutMix.

Does: in a `share` of a batch's pictures a square comes from another picture, and the target is mixed as the areas are; the area is
    drawn evenly between nothing and everything, new for each picture, step and member.
Helps: networks that learn a few thousand pictures by heart (measured on 4,000 pictures of CIFAR-10: as much as cutout).
Misleads: small things lie wholly in or out of the square, whatever its area; short trainings lose by it.
Source: Yun et al. 2019, arXiv:1905.04899, with squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from liebig.core.recipe import Recipe
from liebig.core.settings import STACKABLE
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.tree import scalars
from liebig.techniques.batches.pictures import needs_pictures, of_members, own_pictures
from liebig.techniques.stage import Ground, Stage, Technique

_STREAM: Final = 7601


class CutMix(Technique):
    """`share` of the pictures get a square of another."""

    kind: Literal["cut-mix"] = "cut-mix"
    share: Annotated[float, Field(gt=0, le=1), STACKABLE] = 0.5

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_pictures(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[CutMix], ground: Ground) -> CutMixStage:  # type: ignore[override]  # its own records
        return CutMixStage(scalars(records, "share", ground.device), ground.outputs if ground.is_classification else 1)


@dataclass(frozen=True, slots=True, eq=False)
class CutMixStage(Stage):
    """K mixtures; `share` [K]; `classes` of a target that must be spread before it is mixed (1: it is mixed as it is)."""

    share: Tensor
    classes: int

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        members = len(self.share)
        pictures = own_pictures(batch, members)
        rows, (height, width) = pictures.shape[1], pictures.shape[3:]
        if rows < 2:
            return batch
        drawn = draws.uniform((4, rows), _STREAM)
        half = drawn[:, 0].sqrt() / 2
        chosen = drawn[:, 3] < self.share[:, None]

        def inside(side: int, centre: Tensor) -> Tensor:
            middle = (torch.arange(side, device=pictures.device) + 0.5) / side
            return (middle - centre[:, :, None]).abs() < half[:, :, None]

        cut = inside(height, drawn[:, 1])[:, :, :, None] & inside(width, drawn[:, 2])[:, :, None, :]
        cut = cut & chosen[:, :, None, None]
        # Batches are in random order already: the partners are those a random number of places further on.
        shift = (draws.uniform((1,), _STREAM + 1) * (rows - 1)).long() + 1
        other = (torch.arange(rows, device=pictures.device)[None] + shift) % rows
        member = torch.arange(members, device=pictures.device)[:, None]
        partners = pictures.permute(0, 1, 3, 4, 2)[member, other].permute(0, 1, 4, 2, 3)
        mixed = of_members(batch, members, torch.where(cut[:, :, None], partners, pictures))
        own = 1.0 - cut.float().mean((2, 3))  # what is left of each picture, [K, B]
        target = mixed.target
        if self.classes > 1 and target.ndim == 2:
            target = functional.one_hot(target.long(), self.classes).to(torch.float32)
        kept = own if target.ndim == 2 else own[..., None]
        target = kept * target + (1 - kept) * target[member, other]
        return replace(mixed, target=target)
