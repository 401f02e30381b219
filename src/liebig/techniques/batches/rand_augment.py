"""RandAugment.

Does: changes each picture of a training batch by `rounds` operations one after another, each drawn from fourteen: none,
    auto-contrast, equalise, turn, solarise, colour, posterise, contrast, brightness, sharpness, and shear or shift across and down.
    `magnitude` says how much, from 0 (nothing) to 1 (a turn of 30 degrees, say), either way; new for each picture, step and
    member. Black and white are the darkest and the brightest tone of the batch; what comes in from outside is mirrored at the edge.
Helps: large networks on photographs, long trainings: one number to choose in place of many (ImageNet, ResNet-50: +0.7 points).
Misleads: where tone or angle is the answer; short trainings and small networks, which learn less from pictures that differ so much.
Source: Cubuk et al. 2020, arXiv:1909.13719, section 3; operations as in Pillow's ImageOps and ImageEnhance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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

_STREAM: Final = 7801
#: What a magnitude of 1 means: degrees, parts of a side across a side, parts of a side, and how far a blend goes.
_TURN: Final = 30.0
_SHEAR: Final = 0.3
_SHIFT: Final = 0.45
_BLEND: Final = 0.9
_BITS: Final = 4  # that posterising takes away
#: How bright the channels of a colour picture look.
_LUMA: Final = (0.299, 0.587, 0.114)
_NEARLY: Final = 1e-4  # of a level: what rounding leaves


class RandAugment(Technique):
    """`rounds` operations on each picture, as strong as `magnitude` says."""

    kind: Literal["rand-augment"] = "rand-augment"
    rounds: Annotated[int, Field(ge=1, le=8)] = 2
    magnitude: Annotated[float, Field(ge=0, le=1), STACKABLE] = 0.3

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_pictures(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[RandAugment], ground: Ground) -> RandAugmentStage:  # type: ignore[override]  # its own records
        return RandAugmentStage(scalars(records, "magnitude", ground.device), records[0].rounds)


@dataclass(frozen=True, slots=True, eq=False)
class RandAugmentStage(Stage):
    """K of them; `magnitude` [K]."""

    magnitude: Tensor
    rounds: int

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        members = len(self.magnitude)
        pictures = own_pictures(batch, members)
        rows = pictures.shape[1]
        ends = [each(pictures.flatten(1), 1).float() for each in (torch.amin, torch.amax)]
        tones = Tones(*(each.repeat_interleave(rows)[:, None, None, None] for each in ends))
        found = pictures.flatten(0, 1).float()
        for number in range(self.rounds):
            drawn = draws.uniform((2, rows), _STREAM + number)
            chosen = (drawn[:, 0] * len(OPERATIONS)).long().flatten()
            either_way = torch.where(drawn[:, 1] < 0.5, -1.0, 1.0) * self.magnitude[:, None]
            found = _operated(found, chosen, either_way.flatten()[:, None, None, None], tones)
        return of_members(batch, members, found.to(pictures.dtype).view(members, rows, *found.shape[1:]))


@dataclass(frozen=True, slots=True, eq=False)
class Tones:
    """What is black and what is white for each picture, [n, 1, 1, 1]."""

    black: Tensor
    white: Tensor

    def of(self, which: Tensor) -> Tones:
        return Tones(self.black[which], self.white[which])

    @property
    def span(self) -> Tensor:
        return (self.white - self.black).clamp_min(1e-6)

    def kept(self, pictures: Tensor) -> Tensor:
        return torch.minimum(torch.maximum(pictures, self.black), self.white)


def _operated(pictures: Tensor, chosen: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    """Each picture [n, channels, height, width] by its operation. On a processor each operation meets its own pictures; another
    device is asked nothing, and makes all of all."""
    found = pictures.clone()
    for number, operation in enumerate(OPERATIONS):
        mine = chosen == number
        if pictures.device.type == "cpu":
            which = mine.nonzero()[:, 0]
            if len(which):
                found[which] = operation(pictures[which], strength[which], tones.of(which))
        else:
            found = torch.where(mine[:, None, None, None], operation(pictures, strength, tones), found)
    return found


#: Pictures [n, channels, height, width] and a strength from -1 to 1 [n, 1, 1, 1] to pictures.
Operation = Callable[[Tensor, Tensor, Tones], Tensor]


def unchanged(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    return x


def auto_contrast(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    """Each channel from black to white."""
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    stretched = tones.black + (x - low) / (high - low).clamp_min(1e-12) * tones.span
    return torch.where(high > low, stretched, x)


def equalised(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    """Each channel so that all tones are about as frequent: each place is given the share of darker places."""
    flat = x.flatten(2).contiguous()
    ordered = flat.sort(dim=2).values.contiguous()
    darker = torch.searchsorted(ordered, flat).float()
    most = darker.amax(2, keepdim=True)
    spread = tones.black[..., 0] + darker / most.clamp_min(1.0) * tones.span[..., 0]
    return torch.where(most > 0, spread, flat).view_as(x)


def turned(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    angle = strength.flatten() * (_TURN * math.pi / 180)
    height, width = x.shape[2:]
    # Sides of unlike length: a turn is one of pixels, not of shares of the sides.
    across = torch.stack([angle.cos(), -angle.sin() * (height / width)], 1)
    down = torch.stack([angle.sin() * (width / height), angle.cos()], 1)
    return _warped(x, torch.stack([across, down], 1), torch.zeros_like(across))


def sheared_across(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    return _warped(x, _shear(x, strength, 0), torch.zeros_like(strength.flatten()[:, None].expand(-1, 2)))


def sheared_down(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    return _warped(x, _shear(x, strength, 1), torch.zeros_like(strength.flatten()[:, None].expand(-1, 2)))


def _shear(x: Tensor, strength: Tensor, axis: int) -> Tensor:
    found = torch.eye(2, device=x.device).repeat(len(x), 1, 1)
    found[:, axis, 1 - axis] = strength.flatten() * _SHEAR
    return found


def shifted_across(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    return _shifted(x, strength, 0)


def shifted_down(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    return _shifted(x, strength, 1)


def _shifted(x: Tensor, strength: Tensor, axis: int) -> Tensor:
    by = torch.zeros(len(x), 2, device=x.device)
    by[:, axis] = strength.flatten() * 2 * _SHIFT  # a side is 2 long
    return _warped(x, torch.eye(2, device=x.device).expand(len(x), 2, 2), by)


def _warped(x: Tensor, turn: Tensor, shift: Tensor) -> Tensor:
    """Pictures read at places that are turned [n, 2, 2] and shifted [n, 2]."""
    grid = functional.affine_grid(torch.cat([turn, shift[:, :, None]], 2), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def solarised(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    """What is brighter than a threshold, inverted."""
    threshold = tones.white - strength.abs() * tones.span
    return torch.where(x < threshold, x, tones.black + tones.white - x)


def posterised(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    """Fewer levels: of eight bits up to four are taken away."""
    level = tones.span / 255 * 2 ** (strength.abs() * _BITS).round()
    return tones.black + torch.floor((x - tones.black) / level + _NEARLY) * level


def _blended(plain: Tensor, x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    return tones.kept(plain + (1 + _BLEND * strength) * (x - plain))


def brighter(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    return _blended(tones.black.expand_as(x), x, strength, tones)


def more_contrast(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    return _blended(_grey(x).mean((2, 3), keepdim=True), x, strength, tones)


def more_colour(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    return _blended(_grey(x), x, strength, tones)


def _grey(x: Tensor) -> Tensor:
    """[n, 1, height, width]."""
    if x.shape[1] != len(_LUMA):
        return x.mean(1, keepdim=True)
    red, green, blue = x.unbind(1)
    return (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue)[:, None]


def sharper(x: Tensor, strength: Tensor, tones: Tones) -> Tensor:
    """Away from what is left when each place is blended with its eight neighbours; the outermost places stay."""
    if min(x.shape[2:]) < 3:
        return x
    around = functional.avg_pool2d(x, 3, 1) * 9
    smooth = x.clone()
    smooth[:, :, 1:-1, 1:-1] = (around + 4 * x[:, :, 1:-1, 1:-1]) / 13
    return _blended(smooth, x, strength, tones)


OPERATIONS: Final[tuple[Operation, ...]] = (
    unchanged, auto_contrast, equalised, turned, solarised, more_colour, posterised, more_contrast, brighter, sharper,
    sheared_across, sheared_down, shifted_across, shifted_down,
)  # fmt: skip
