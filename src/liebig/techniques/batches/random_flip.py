"""Random mirror image.

Does: mirrors each picture of a training batch left to right with probability one half, new for each picture, step and member. With
    `alternating` each picture is drawn once, and from then on is mirrored in every other epoch.
Helps: photographs: it doubles what is seen of each object.
Misleads: digits, letters, arrows, left and right hands: the mirror image is another thing, or none. Let a trial decide.
Source: Krizhevsky, Sutskever & Hinton 2012, "ImageNet Classification with Deep Convolutional Neural Networks"; alternating:
    Jordan 2024, arXiv:2404.00498, section 3.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import torch

from liebig.core.recipe import Recipe
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.techniques.batches.pictures import needs_pictures, of_members, own_pictures
from liebig.techniques.batches.rows import groups_of
from liebig.techniques.stage import Ground, Stage, Technique

_STREAM: Final = 7301


class RandomFlip(Technique):
    """`alternating` shows each picture and its mirror image by turns."""

    kind: Literal["random-flip"] = "random-flip"
    alternating: bool = False

    def conflicts(self, recipe: Recipe) -> str | None:
        if self.alternating and getattr(recipe.batching, "accumulates", 1) > 1:
            return "mirror images by turns are told by steps, however several batches make one"
        return needs_pictures(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[RandomFlip], ground: Ground) -> RandomFlipStage:  # type: ignore[override]  # its own records
        return RandomFlipStage(ground.steps_per_epoch if records[0].alternating else 0)


@dataclass(frozen=True, slots=True, eq=False)
class RandomFlipStage(Stage):
    """K mirrors; an epoch has so many `steps`, 0 where pictures are not mirrored by turns."""

    steps: int

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        pictures = own_pictures(batch, len(draws.seeds))
        if self.steps and batch.rows is not None:
            rows = batch.rows[groups_of(batch, len(draws.seeds))]
            turned = (draws.of_rows(rows, _STREAM) + draws.steps() // self.steps) % 2 == 0
        else:
            turned = draws.uniform((pictures.shape[1],), _STREAM) < 0.5
        found = torch.where(turned[:, :, None, None, None], pictures.flip(-1), pictures)
        return of_members(batch, len(draws.seeds), found)
