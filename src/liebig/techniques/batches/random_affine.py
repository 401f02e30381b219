"""Random turns and sizes.

Does: turns each picture of a training batch by up to `turn` degrees either way, and shows it up to `zoom` larger or smaller, about its
    centre; new for each picture, step and member. What comes in from outside is mirrored at the edge.
Helps: things that stand at no fixed angle or distance: seen from above, under a microscope, written by hand.
Misleads: where the angle is the answer (6 and 9, arrows), beyond some 20 degrees; small pictures are blurred by it (measured on 4,000
    pictures of CIFAR-10: no gain beside crops).
Source: Simard, Steinkraus & Platt 2003, "Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
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

_STREAM: Final = 7701


class RandomAffine(Technique):
    """`turn` in degrees, `zoom` as a share of the size."""

    kind: Literal["random-affine"] = "random-affine"
    turn: Annotated[float, Field(ge=0, le=180), STACKABLE] = 10.0
    zoom: Annotated[float, Field(ge=0, lt=1), STACKABLE] = 0.1

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_pictures(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[RandomAffine], ground: Ground) -> RandomAffineStage:  # type: ignore[override]  # its own records
        return RandomAffineStage(scalars(records, "turn", ground.device), scalars(records, "zoom", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class RandomAffineStage(Stage):
    """K of them; `turn` and `zoom` [K]."""

    turn: Tensor
    zoom: Tensor

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        members = len(self.turn)
        pictures = own_pictures(batch, members)
        _, rows, channels, height, width = pictures.shape
        drawn = draws.uniform((2, rows), _STREAM) * 2 - 1
        angle = (drawn[:, 0] * self.turn[:, None] * (math.pi / 180)).flatten()
        size = torch.exp(drawn[:, 1] * torch.log1p(self.zoom)[:, None]).flatten()
        cosine, sine, nothing = angle.cos() * size, angle.sin() * size, torch.zeros_like(angle)
        # Sides of unlike length: a turn is one of pixels, not of shares of the sides.
        across = torch.stack([cosine, -sine * (height / width), nothing], 1)
        down = torch.stack([sine * (width / height), cosine, nothing], 1)
        flat = pictures.reshape(members * rows, channels, height, width).float()
        grid = functional.affine_grid(torch.stack([across, down], 1), list(flat.shape), align_corners=False)
        found = functional.grid_sample(flat, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
        return of_members(batch, members, found.to(pictures.dtype).view(members, rows, channels, height, width))
