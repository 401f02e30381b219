"""Colour jitter.

Does: multiplies the tones of each picture of a training batch by 1 ± `strength`, and shifts all of them by up to `strength`, and each
    channel by up to half of it, in units of the batch's spread; new for each picture, step and member.
Helps: photographs: light and camera are not what they show (measured on 4,000 pictures of CIFAR-10: +1 to +2 points).
Misleads: where the tone is the answer (ripe or not, a stain's colour); far beyond 0.3 it hides more than it teaches.
Source: Krizhevsky, Sutskever & Hinton 2012, section 4.1; Szegedy et al. 2015, arXiv:1409.4842 (photometric distortions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.core.settings import STACKABLE
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.tree import scalars
from liebig.techniques.batches.pictures import needs_pictures, of_members, own_pictures
from liebig.techniques.stage import Ground, Stage, Technique

_STREAM: Final = 7501


class ColourJitter(Technique):
    """`strength` is a share of the spread."""

    kind: Literal["colour-jitter"] = "colour-jitter"
    strength: Annotated[float, Field(gt=0, le=1), STACKABLE] = 0.2

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_pictures(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[ColourJitter], ground: Ground) -> ColourJitterStage:  # type: ignore[override]  # its own records
        return ColourJitterStage(scalars(records, "strength", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class ColourJitterStage(Stage):
    """K jitters; `strength` [K]."""

    strength: Tensor

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        pictures = own_pictures(batch, len(self.strength))
        rows, channels = pictures.shape[1:3]
        drawn = draws.uniform((rows, 2 + channels), _STREAM) * 2 - 1
        spread = pictures.float().flatten(1).std(1)  # of each member's batch
        strength = self.strength[:, None, None]
        factor = 1 + strength * drawn[:, :, :1]
        shift = strength * spread[:, None, None] * (drawn[:, :, 1:2] + 0.5 * drawn[:, :, 2:])
        changed = pictures * factor[..., None, None].to(pictures.dtype) + shift[..., None, None].to(pictures.dtype)
        return of_members(batch, len(self.strength), changed)
