"""What pretraining of pictures shares: the convolutions of a network, and one layer behind them, learn to give pictures back.

The layer behind is one transposed convolution whose kernel is as wide as its stride, so that each place of the features gives
back the part of the picture that lies over it. It is thrown away afterwards; the network's own output layer is not touched.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, optim
from torch.nn import functional

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.stack.draws import Draws, member_seed
from liebig.stack.specs import ParameterSpec, Role
from liebig.techniques.stage import Stage, Unlabelled

_STREAM: Final = 8301
#: Share of the steps in which the rate rises.
_RISE: Final = 0.05
#: As masked autoencoders are trained: the second moment forgets sooner than Adam's usually does.
_BETAS: Final = (0.9, 0.95)


def needs_an_encoder(record: Settings, recipe: Recipe) -> str | None:
    """Why a way of pretraining on pictures cannot stand in this recipe, or None."""
    if recipe.inputs.kind != "pictures":
        return f"technique {record.kind} learns from pictures, however the inputs are of kind {recipe.inputs.kind}"
    if not getattr(recipe.network, "encodes", False):
        return (
            f"technique {record.kind} pretrains networks of convolutions or patches, however the network is "
            f"{recipe.network.kind}"
        )
    return None


@dataclass(frozen=True, slots=True)
class Course:
    """How long it takes: `epochs`, pictures in a batch, and the highest rate."""

    epochs: int
    size: int
    rate: float


@dataclass(frozen=True, slots=True, eq=False)
class Reconstruction(Stage):
    """K members that learn to give pictures back; `places` says where in the list of weights those lie that learn. What they are
    shown of a picture, and what of their answer is judged, is the subclass's."""

    course: Course
    places: tuple[int, ...]

    @abstractmethod
    def shown(self, pictures: Tensor, draws: Draws) -> tuple[Tensor, Tensor | None]:
        """What enters the network in place of `pictures` [K, B, channels, height, width], and where the answer is judged, bool
        [K, B, 1, height, width] (None: everywhere)."""

    def wanted(self, pictures: Tensor) -> Tensor:
        """What the answer should be."""
        return pictures

    def pretrain(self, weights: list[Tensor], seeds: Sequence[int], unlabelled: Unlabelled) -> list[Tensor]:
        size = min(self.course.size, unlabelled.rows)
        steps = self.course.epochs * max(unlabelled.rows // max(size, 1), 1)
        whole = [each.clone() for each in weights]
        for i in self.places:
            whole[i].requires_grad_()
        decoder: list[Tensor] = []
        adam: optim.Adam | None = None
        step = 0
        for epoch in range(self.course.epochs):
            for pictures in unlabelled.batches(epoch, size):
                if unlabelled.is_late():
                    return [each.detach() for each in whole]
                shown, judged = self.shown(pictures, Draws(tuple(seeds), step, pictures.device))
                features = unlabelled.features(whole, shown)
                if adam is None:
                    decoder = first_decoder(features, pictures, seeds)
                    # Adam reads each number alone, so that members of one stack do not know of each other.
                    adam = optim.Adam([*(whole[i] for i in self.places), *decoder], lr=self.course.rate, betas=_BETAS)
                losses = reconstruction_losses(
                    decoded(features, decoder, pictures.shape[3:]), self.wanted(pictures), judged
                )
                adam.param_groups[0]["lr"] = self.course.rate * rate_at(step, steps)
                adam.zero_grad()
                torch.autograd.backward([losses.sum()])
                adam.step()
                step += 1
        return [each.detach() for each in whole]


def places_of(specs: Sequence[ParameterSpec]) -> tuple[int, ...]:
    """Which parameters are pretrained: all but those of the output layer, and what is frozen."""
    return tuple(i for i, each in enumerate(specs) if not each.is_last and each.role is not Role.FROZEN)


def rate_at(step: int, steps: int) -> float:
    """What the rate is multiplied by: a short rise, then half a cosine."""
    rise = max(1, round(_RISE * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(steps - rise, 1)))


def first_decoder(features: Tensor, pictures: Tensor, seeds: Sequence[int]) -> list[Tensor]:
    """The transposed convolution of each member before its first step: weight [K, features, channels, side, side] and bias [K,
    channels], as torch draws them."""
    inner, (height, width) = features.shape[2], features.shape[3:]
    channels = pictures.shape[2]
    side = max(-(-pictures.shape[3] // height), -(-pictures.shape[4] // width))
    bound = 1 / math.sqrt(channels * side * side)
    drawn = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(member_seed(seed, _STREAM))
        weight = torch.empty(inner, channels, side, side).uniform_(-bound, bound, generator=generator)
        drawn.append((weight, torch.empty(channels).uniform_(-bound, bound, generator=generator)))
    return [torch.stack(each).to(pictures.device).requires_grad_() for each in zip(*drawn, strict=True)]


def decoded(features: Tensor, decoder: Sequence[Tensor], sides: Sequence[int]) -> Tensor:
    """Pictures [K, B, channels, height, width] from features [K, B, features, h, w]; what stands over the edge is cut off."""
    weight, bias = decoder
    height, width = sides
    found = [
        functional.conv_transpose2d(seen, own, shift, stride=own.shape[-1])[:, :, :height, :width]
        for seen, own, shift in zip(features, weight, bias, strict=True)
    ]
    return torch.stack(found)


def reconstruction_losses(answer: Tensor, wanted: Tensor, judged: Tensor | None) -> Tensor:
    """Mean squared error of each member [K], over the places that are judged."""
    squares = (answer - wanted).square()
    if judged is None:
        return squares.flatten(1).mean(1)
    share = judged.to(squares.dtype).expand_as(squares)
    return (squares * share).flatten(1).sum(1) / share.flatten(1).sum(1).clamp_min(1.0)
