"""Cutout.

Does: blanks a square of each picture of a training batch, `size` of the side wide, around a random centre; what is outside
    the picture is cut off.
Helps: networks that look at one telling detail alone: they learn the others, too.
Misleads: small objects may be hidden whole; blanks are 0, which is the mean only of standardised pictures.
Source: DeVries & Taylor 2017, arXiv:1708.04552.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.core.settings import STACKABLE
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.tree import scalars
from liebig.techniques.batches.pictures import needs_pictures, of_members, own_pictures
from liebig.techniques.stage import Ground, Stage, Technique

_STREAM: Final = 7401


class Cutout(Technique):
    """`size` is a share of the side."""

    kind: Literal["cutout"] = "cutout"
    size: Annotated[float, Field(gt=0, le=1), STACKABLE] = 0.25

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_pictures(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[Cutout], ground: Ground) -> CutoutStage:  # type: ignore[override]  # its own records
        return CutoutStage(scalars(records, "size", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class CutoutStage(Stage):
    """K cutouts; `size` [K]."""

    size: Tensor

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        pictures = own_pictures(batch, len(self.size))
        rows, (height, width) = pictures.shape[1], pictures.shape[3:]
        centre = draws.uniform((2, rows), _STREAM)

        def inside(side: int, uniform: Tensor) -> Tensor:
            middle = (torch.arange(side, device=pictures.device) + 0.5) / side
            return (middle - uniform[:, :, None]).abs() < (self.size / 2)[:, None, None]

        blank = inside(height, centre[:, 0])[:, :, :, None] & inside(width, centre[:, 1])[:, :, None, :]
        found = pictures.masked_fill(blank[:, :, None], 0.0)
        return of_members(batch, len(self.size), found)
