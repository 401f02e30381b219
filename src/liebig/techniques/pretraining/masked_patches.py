"""Masked patches.

Does: before any label is read, the network is shown pictures of which a `share` of the patches, `patch` pixels wide, is blank,
    and learns to give back what stood there, each patch by its own mean and spread. It sees the training pictures, and those
    that have no label. Then it is trained as ever. Blank patches enter the network as 0, the mean of standardised pictures, so
    that networks of convolutions learn in the same way as those of patches.
Helps: few labels, and many more pictures without one: what is blank follows only from what a picture shows.
Misleads: small pictures with large patches hide all that could be guessed from; convolutions gain less than transformers, since
    edges of blanks are seen, too; with some thousands of labels, or without further pictures, it costs time and gives little.
Source: He et al. 2022, "Masked Autoencoders Are Scalable Vision Learners", arXiv:2111.06377, section 3 (patches as targets by
    their own mean and spread: table 1d); blanks in place and one layer behind: Xie et al. 2022, "SimMIM", arXiv:2111.09886.
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
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.techniques.pretraining.reconstruction import Course, Reconstruction, needs_an_encoder, places_of
from liebig.techniques.stage import Ground, Pretraining, Technique

_STREAM: Final = 8303
_LEAST_VARIANCE: Final = 1e-6


class MaskedPatches(Pretraining):
    """`epochs` before training, in batches of `size`, at most at `learning_rate`. `share` of the patches is blank."""

    kind: Literal["masked-patches"] = "masked-patches"
    epochs: Annotated[int, Field(ge=1, le=10_000)] = 20
    size: Annotated[int, Field(ge=1, le=65_536)] = 64
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 1e-3
    share: Annotated[float, Field(gt=0, lt=1)] = 0.6
    patch: Annotated[int, Field(ge=1, le=1024)] = 4

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_an_encoder(self, recipe, "pictures")

    @classmethod
    def stage(cls, records: Sequence[Technique], ground: Ground) -> MaskedStage:
        first = next(each for each in records if isinstance(each, cls))
        return MaskedStage(
            Course(first.epochs, first.size, first.learning_rate), places_of(ground.specs), first.share, first.patch
        )


@dataclass(frozen=True, slots=True, eq=False)
class MaskedStage(Reconstruction):
    """K members that guess what is blank; `share` and `patch` are the same for all."""

    share: float
    patch: int

    def shown(self, batch: Batch, draws: Draws) -> tuple[Batch, Tensor | None]:
        pictures = batch.dense
        count, height, width = pictures.shape[1], *pictures.shape[3:]
        side = self._side(height, width)
        down, across = -(-height // side), -(-width // side)
        order = draws.uniform((count, down * across), _STREAM).argsort(dim=2)
        blank = torch.zeros(order.shape, dtype=torch.bool, device=pictures.device)
        blank.scatter_(2, order[:, :, : blank_patches(self.share, down * across)], value=True)
        hidden = self._over_pixels(blank.view(-1, count, down, across), height, width)
        return replace(batch, dense=pictures.masked_fill(hidden, 0.0)), hidden

    def _side(self, height: int, width: int) -> int:
        """The side of a patch, which no picture is smaller than."""
        return min(self.patch, height, width)

    def _over_pixels(self, patches: Tensor, height: int, width: int) -> Tensor:
        """[K, B, 1, height, width] of a value for each patch [K, B, down, across]."""
        side = self._side(height, width)
        wide = patches.repeat_interleave(side, 2).repeat_interleave(side, 3)
        return wide[:, :, None, :height, :width]

    def wanted(self, batch: Batch) -> Tensor:
        """Each patch less its mean, by its spread, over all channels."""
        pictures = batch.dense
        height, width = pictures.shape[3:]

        def mean(values: Tensor) -> Tensor:
            seen = values.mean(2)
            side = self._side(height, width)
            pooled = functional.avg_pool2d(seen, side, ceil_mode=True, count_include_pad=False)
            return self._over_pixels(pooled, height, width)

        centred = pictures - mean(pictures)
        return centred / (mean(centred.square()) + _LEAST_VARIANCE).sqrt()


def blank_patches(share: float, patches: int) -> int:
    """How many are blank: at least one, and never all where there is more than one."""
    return min(max(1, round(share * patches)), max(patches - 1, 1))
