"""What pretraining shares: all layers of a network but the last, and one layer behind them, learn to give the inputs back.

For pictures the layer behind is one transposed convolution whose kernel is as wide as its stride, so that each place of the
features gives back the part of the picture that lies over it; for the rows of a table it is one linear layer. It is thrown
away afterwards; the network's own output layer is not touched.
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
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws, member_seed
from liebig.stack.specs import Encodes, ParameterSpec, Role
from liebig.techniques.stage import Stage, Unlabelled

_STREAM: Final = 8301
#: Share of the steps in which the rate rises.
_RISE: Final = 0.05
#: As masked autoencoders are trained: the second moment forgets sooner than Adam's usually does.
_BETAS: Final = (0.9, 0.95)


#: Which kind of inputs is given back by what: the key of `Recipe.inputs.kind`, and the networks in words.
_NETWORKS: Final = {
    "pictures": (Encodes.PICTURES, "networks of convolutions or patches"),
    "table": (Encodes.ROWS, "dense networks of one hidden layer or more"),
}


def needs_an_encoder(record: Settings, recipe: Recipe, *kinds: str) -> str | None:
    """Why a way of pretraining on inputs of these kinds cannot stand in this recipe, or None."""
    if recipe.inputs.kind not in kinds:
        wanted = " or ".join("the rows of a table" if each == "table" else each for each in kinds)
        return f"technique {record.kind} learns from {wanted}, however the inputs are of kind {recipe.inputs.kind}"
    encodes, words = _NETWORKS[recipe.inputs.kind]
    if getattr(recipe.network, "encodes", Encodes.NOTHING) is not encodes:
        return f"technique {record.kind} pretrains {words}, however the network is {recipe.network.kind}"
    return None


@dataclass(frozen=True, slots=True)
class Course:
    """How long it takes: `epochs`, pictures or rows in a batch, and the highest rate."""

    epochs: int
    size: int
    rate: float


@dataclass(frozen=True, slots=True, eq=False)
class Reconstruction(Stage):
    """K members that learn to give their inputs back; `places` says where in the list of weights those lie that learn. What
    they are shown, and what of their answer is judged, is the subclass's."""

    course: Course
    places: tuple[int, ...]

    @abstractmethod
    def shown(self, batch: Batch, draws: Draws) -> tuple[Batch, Tensor | None]:
        """What enters the network in place of `batch`, and where the answer is judged, bool [K, B, 1, height, width] or [K, B,
        values] (None: everywhere)."""

    def wanted(self, batch: Batch) -> Tensor:
        """What the answer should be: pictures, or the dense values and the numbers of each row."""
        return batch.dense if batch.numbers is None else torch.cat([batch.dense, batch.numbers], dim=2)

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
            for batch in unlabelled.batches(epoch, size):
                if unlabelled.is_late():
                    return [each.detach() for each in whole]
                shown, judged = self.shown(batch, Draws(tuple(seeds), step, batch.dense.device))
                features, wanted = unlabelled.features(whole, shown), self.wanted(batch)
                if adam is None:
                    decoder = first_decoder(features, wanted, seeds)
                    # Adam reads each number alone, so that members of one stack do not know of each other.
                    adam = optim.Adam([*(whole[i] for i in self.places), *decoder], lr=self.course.rate, betas=_BETAS)
                losses = reconstruction_losses(decoded(features, decoder, wanted), wanted, judged)
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


def first_decoder(features: Tensor, wanted: Tensor, seeds: Sequence[int]) -> list[Tensor]:
    """The layer behind, of each member before its first step, as torch draws it. For pictures a transposed convolution, weight
    [K, features, channels, side, side] and bias [K, channels]; for rows a linear one, weight [K, features, values] and bias
    [K, values]."""
    inner, given = features.shape[2], wanted.shape[2]
    shape: tuple[int, ...] = (inner, given)
    bound = 1 / math.sqrt(inner)
    if wanted.dim() == 5:
        side = max(-(-wanted.shape[3] // features.shape[3]), -(-wanted.shape[4] // features.shape[4]))
        shape, bound = (inner, given, side, side), 1 / math.sqrt(given * side * side)
    drawn = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(member_seed(seed, _STREAM))
        weight = torch.empty(shape).uniform_(-bound, bound, generator=generator)
        drawn.append((weight, torch.empty(given).uniform_(-bound, bound, generator=generator)))
    return [torch.stack(each).to(wanted.device).requires_grad_() for each in zip(*drawn, strict=True)]


def decoded(features: Tensor, decoder: Sequence[Tensor], wanted: Tensor) -> Tensor:
    """What is given back: pictures like `wanted` from features [K, B, features, h, w] (what stands over the edge is cut off),
    rows [K, B, answers, values] from features [K, B * answers, features]."""
    weight, bias = decoder
    if wanted.dim() == 3:
        given = torch.baddbmm(bias[:, None], features, weight)
        return given.reshape(given.shape[0], wanted.shape[1], -1, given.shape[2])
    height, width = wanted.shape[3:]
    found = [
        functional.conv_transpose2d(seen, own, shift, stride=own.shape[-1])[:, :, :height, :width]
        for seen, own, shift in zip(features, weight, bias, strict=True)
    ]
    return torch.stack(found)


def reconstruction_losses(answer: Tensor, wanted: Tensor, judged: Tensor | None) -> Tensor:
    """Mean squared error of each member [K], over the places that are judged; each answer of an ensemble is judged."""
    if answer.dim() > wanted.dim():
        wanted, judged = wanted[:, :, None], None if judged is None else judged[:, :, None]
    squares = (answer - wanted).square()
    if judged is None:
        return squares.flatten(1).mean(1)
    share = judged.to(squares.dtype).expand_as(squares)
    return (squares * share).flatten(1).sum(1) / share.flatten(1).sum(1).clamp_min(1.0)
