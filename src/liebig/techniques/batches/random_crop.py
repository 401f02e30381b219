"""Random crop.

Does: shifts each picture of a training batch by up to `padding` pixels in each direction, new for each picture, step and
    member; what comes in from outside is the picture mirrored at its edge.
Helps: nearly all pictures: the object is still what it is a few pixels further on.
Misleads: where the place is the answer (which half of a scan is dark), or in pictures of a dozen pixels.
Source: Krizhevsky 2012 and He et al. 2016, arXiv:1512.03385, section 4.2 (4 of 32 pixels).
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
from liebig.techniques.batches.pictures import needs_pictures, of_members, read_at, reflected
from liebig.techniques.stage import Ground, Stage, Technique

_STREAM: Final = 7201


class RandomCrop(Technique):
    """`padding` is a share of the side: 0.125 of 32 pixels are 4."""

    kind: Literal["random-crop"] = "random-crop"
    padding: Annotated[float, Field(gt=0, le=0.5), STACKABLE] = 0.125

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_pictures(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[RandomCrop], ground: Ground) -> RandomCropStage:  # type: ignore[override]  # its own records
        return RandomCropStage(scalars(records, "padding", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class RandomCropStage(Stage):
    """K crops; `padding` [K]."""

    padding: Tensor

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        rows, (height, width) = batch.dense.shape[1], batch.dense.shape[3:]
        drawn = draws.uniform((2, rows), _STREAM)

        def places(side: int, uniform: Tensor) -> Tensor:
            most = (self.padding * side).round()[:, None]
            shift = (uniform * (2 * most + 1)).floor() - most
            here = torch.arange(side, device=batch.dense.device)
            return reflected(here + shift.long()[:, :, None], side)

        found = read_at(batch, places(height, drawn[:, 0]), places(width, drawn[:, 1]))
        return of_members(batch, len(self.padding), found)
