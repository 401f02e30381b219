"""Random mirror image.

Does: mirrors each picture of a training batch left to right with probability one half, new for each picture, step and member.
Helps: photographs: it doubles what is seen of each object.
Misleads: digits, letters, arrows, left and right hands: the mirror image is another thing, or none. Let a trial decide.
Source: Krizhevsky, Sutskever & Hinton 2012, "ImageNet Classification with Deep Convolutional Neural Networks".
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
from liebig.techniques.stage import Ground, Stage, Technique

_STREAM: Final = 7301


class RandomFlip(Technique):
    """Settings of the mirror image: there are none."""

    kind: Literal["random-flip"] = "random-flip"

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_pictures(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[RandomFlip], ground: Ground) -> RandomFlipStage:  # type: ignore[override]  # its own records
        return RandomFlipStage()


@dataclass(frozen=True, slots=True, eq=False)
class RandomFlipStage(Stage):
    """K mirrors."""

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        pictures = own_pictures(batch, len(draws.seeds))
        turned = draws.uniform((pictures.shape[1],), _STREAM) < 0.5
        found = torch.where(turned[:, :, None, None, None], pictures.flip(-1), pictures)
        return of_members(batch, len(draws.seeds), found)
