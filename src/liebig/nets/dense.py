"""What networks of dense hidden layers share: their settings, their inputs, their layers one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.evidence import LayerShape
from liebig.core.recipe import Recipe
from liebig.core.settings import STACKABLE
from liebig.nets.activations import AnyActivation
from liebig.nets.activations.gelu import GELU
from liebig.nets.dropout import dropout
from liebig.nets.embeddings import AnyCategoryEmbedding, AnyNumericEmbedding
from liebig.nets.embeddings.learned import LearnedCategories
from liebig.nets.embeddings.one_hot import OneHotOnly
from liebig.nets.embeddings.periodic import Periodic
from liebig.nets.embeddings.plain import Plain
from liebig.nets.network import Mode, NetworkSettings
from liebig.nets.normalisations import AnyNormalisation
from liebig.nets.normalisations.batch import BatchNorm
from liebig.nets.normalisations.none import NoNormalisation
from liebig.nets.normalisations.normalisation import Named
from liebig.stack.batch import Batch, for_members
from liebig.stack.specs import BufferSpec, Encodes, ParameterSpec, Role, Signature, Wants
from liebig.stack.tree import scalars

_NARROWEST = 8  # units of a funnel's last layers
_INPUT_NORM = BatchNorm()
_INPUT_STREAM = 1000  # of the draws; hidden layers use their number

Share = Annotated[float, Field(ge=0.0, lt=1.0), STACKABLE]


class DenseSettings(NetworkSettings):
    """Dense hidden layers: linear -> normalisation -> activation -> dropout, or the normalisation after the activation.

    `funnel` halves the width from layer to layer. `residual` adds a layer's input to what leaves it, where shapes agree.
    `numbers` and `categories` say what is learnt before the first layer; `input_normalisation` batch-normalises all that
    enters it.
    """

    width: int = Field(128, ge=1, le=65_536)
    depth: int = Field(2, ge=0, le=256)
    funnel: bool = False
    activation: AnyActivation = GELU()
    normalisation: AnyNormalisation = NoNormalisation()
    normalise_before_activation: bool = True
    dropout: Share = 0.0
    input_dropout: Share = 0.0
    residual: bool = False
    numbers: AnyNumericEmbedding = Plain()
    categories: AnyCategoryEmbedding = OneHotOnly()
    input_normalisation: bool = False

    def conflicts(self, recipe: Recipe) -> str | None:
        if self.residual and self.funnel:
            return "residual connections need layers of one width, however the network is a funnel"
        return None

    @property
    def wants(self) -> Wants:
        return Wants(isinstance(self.numbers, Periodic), isinstance(self.categories, LearnedCategories))

    @property
    def encodes(self) -> Encodes:
        return Encodes.ROWS if self.depth else Encodes.NOTHING

    def widths(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        if not self.funnel:
            return (self.width,) * self.depth
        return tuple(max(min(_NARROWEST, self.width), self.width >> i) for i in range(self.depth))

    def inputs_of(self, signature: Signature) -> int:
        """What enters the first layer."""
        total = signature.dense
        if isinstance(self.numbers, Periodic):
            total += self.numbers.width(signature.numbers)
        if isinstance(self.categories, LearnedCategories):
            total += sum(self.categories.widths(signature.levels))
        return total

    def input_parameters(self, signature: Signature) -> tuple[ParameterSpec, ...]:
        """Parameters before the first layer."""
        specs: tuple[ParameterSpec, ...] = ()
        if isinstance(self.numbers, Periodic):
            specs += self.numbers.parameters(signature.numbers)
        if isinstance(self.categories, LearnedCategories):
            specs += self.categories.parameters(signature.levels)
        if self.input_normalisation:
            specs += _INPUT_NORM.parameters("inputs.norm", self.inputs_of(signature))
        return specs

    def buffers(self, signature: Signature, outputs: int) -> tuple[BufferSpec, ...]:
        specs: tuple[BufferSpec, ...] = ()
        if self.input_normalisation:
            specs += _INPUT_NORM.buffers("inputs.norm", self.inputs_of(signature))
        for i, units in enumerate(self.widths()):
            specs += self.normalisation.buffers(f"layers.{i}.norm", units)
        return specs

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor:
        values = super().draw(spec, generator)
        if spec.role is Role.FREQUENCY and isinstance(self.numbers, Periodic):
            values *= self.numbers.spread
        return values

    def norm_shape(self, name: str, units: int) -> tuple[LayerShape, ...]:
        """The card's line for one normalisation, if there is one."""
        parameters = sum(spec.size for spec in self.normalisation.parameters(name, units))
        if not parameters:
            return ()
        return (LayerShape(name, f"{self.normalisation.kind}-norm", units, units, parameters, parameters, 4 * units),)

    def input_shapes(self, signature: Signature) -> tuple[LayerShape, ...]:
        """The card's lines for what is learnt before the first layer."""
        shapes: list[LayerShape] = []
        if isinstance(self.numbers, Periodic):
            count = sum(spec.size for spec in self.numbers.parameters(signature.numbers))
            width = self.numbers.width(signature.numbers)
            shapes.append(LayerShape("numbers", "periodic", signature.numbers, width, count, count, 4 * width))
        if isinstance(self.categories, LearnedCategories):
            count = sum(spec.size for spec in self.categories.parameters(signature.levels))
            width = sum(self.categories.widths(signature.levels))
            shapes.append(LayerShape("categories", "embedding", len(signature.levels), width, count, count, 0))
        if self.input_normalisation:
            inputs = self.inputs_of(signature)
            shapes.append(LayerShape("inputs.norm", "batch-norm", inputs, inputs, 2 * inputs, 2 * inputs, 4 * inputs))
        return tuple(shapes)


@dataclass(frozen=True, slots=True, eq=False)
class Dropping:
    """The dropout rates of K members, [K] each, and whether any is above 0."""

    hidden: Tensor
    inputs: Tensor
    any_hidden: bool
    any_inputs: bool


def dropping(records: Sequence[DenseSettings], device: torch.device) -> Dropping:
    hidden, inputs = scalars(records, "dropout", device), scalars(records, "input_dropout", device)
    return Dropping(hidden, inputs, bool(hidden.any()), bool(inputs.any()))


def member_inputs(
    settings: DenseSettings, dropped: Dropping, batch: Batch, weights: Named, buffers: Named, mode: Mode
) -> Tensor:
    """What enters the first layer, [K, B, inputs]."""
    parts: list[Tensor] = []
    if isinstance(settings.numbers, Periodic) and batch.numbers is not None:
        numbers = for_members(batch.numbers, batch.member_group)
        parts.append(settings.numbers(numbers, weights["numbers.frequency"]))
    if batch.dense.shape[2] or not parts:
        dense = (
            batch.dense.flatten(2) if batch.dense.dim() > 3 else batch.dense
        )  # a picture's values, one after another
        parts.append(for_members(dense, batch.member_group))
    if isinstance(settings.categories, LearnedCategories) and batch.codes is not None and batch.codes.shape[2]:
        codes = for_members(batch.codes, batch.member_group)
        parts.append(settings.categories(codes, [weights[f"categories.{i}"] for i in range(codes.shape[2])]))
    x = parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)
    if settings.input_normalisation:
        x = _INPUT_NORM(x, "inputs.norm", weights, buffers, mode.training)
    if mode.draws is not None and dropped.any_inputs:
        x = dropout(x, dropped.inputs, mode.draws, _INPUT_STREAM)
    return x


def hidden_layer(
    settings: DenseSettings, dropped: Dropping, index: int, x: Tensor, linear: Callable[[Tensor, str], Tensor],
    weights: Named, buffers: Named, mode: Mode,
) -> Tensor:  # fmt: skip
    """One hidden layer. `linear(x, name)` is its matrix product; `x` [K, B, units] (answers, if any, lie in B)."""
    name = f"layers.{index}"
    h = linear(x, name)
    if settings.normalise_before_activation:
        h = settings.normalisation(h, f"{name}.norm", weights, buffers, mode.training)
    after = settings.activation(h)
    if mode.tap is not None:
        mode.tap(name, settings.activation.kind, h, after)
    h = after
    if not settings.normalise_before_activation:
        h = settings.normalisation(h, f"{name}.norm", weights, buffers, mode.training)
    if mode.draws is not None and dropped.any_hidden:
        h = dropout(h, dropped.hidden, mode.draws, index)
    if settings.residual and h.shape == x.shape:
        h = h + x
    return h
