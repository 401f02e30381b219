"""Small vision transformer.

Does: cuts a picture into patches of `patch` by `patch` pixels, makes each a vector of `width` with its place added, and lets `blocks`
  blocks of attention and two dense layers pass (normalised before each, added after); the mean over all patches and a linear
  output layer.
Helps: many pictures, or a long time: nothing is assumed of what lies where, so more can be learnt.
Misleads: a few thousand pictures: convolutions know beforehand that neighbours belong together, which this must learn. It wants AdamW
  at about 1e-3 with a warm-up; at the rates of SGD it diverges.
Source: Dosovitskiy et al. 2021, arXiv:2010.11929; the mean in place of a class token: Beyer, Zhai & Kolesnikov 2022,
  arXiv:2205.01580.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional

from liebig.core.evidence import LayerShape, Structure
from liebig.nets.activations import AnyActivation
from liebig.nets.activations.gelu import GELU
from liebig.nets.pictures import Convolution, Member, PictureNetwork, picture_of
from liebig.stack.specs import BufferSpec, ParameterSpec, Role, Signature

_PLACE_SPREAD: Final = 0.02
_WIDER: Final = 4  # the dense layers' inner width beside the outer


class VisionTransformer(PictureNetwork):
    """`heads` of attention in each block share its `width`."""

    kind: Literal["vision-transformer"] = "vision-transformer"
    width: int = Field(128, ge=1, le=4096)
    activation: AnyActivation = GELU()
    blocks: int = Field(4, ge=1, le=32)
    heads: int = Field(4, ge=1, le=64)
    patch: int = Field(4, ge=1, le=64)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads, {self.heads}, however {self.width} came")
        return self

    @property
    def hidden(self) -> int:
        return self.blocks

    @property
    def is_normalised(self) -> bool:
        return False  # not by statistics of the batch

    def tokens(self, picture: tuple[int, ...]) -> int:
        """Patches of a picture of (channels, height, width); at the edge they are filled up."""
        _, height, width = picture
        return -(-height // self.patch) * -(-width // self.patch)

    def convolutions(self, picture: tuple[int, ...]) -> tuple[Convolution, ...]:
        channels = picture[0]
        return (Convolution("patches", channels, self.width, self.patch, self.patch, self.tokens(picture), False),)

    def _linear(self) -> Iterator[tuple[str, int, int]]:
        """Name, inputs and outputs of every dense layer of the blocks."""
        for i in range(self.blocks):
            yield f"blocks.{i}.entering", self.width, 3 * self.width
            yield f"blocks.{i}.leaving", self.width, self.width
            yield f"blocks.{i}.wide", self.width, _WIDER * self.width
            yield f"blocks.{i}.narrow", _WIDER * self.width, self.width

    def _norms(self) -> Iterator[str]:
        for i in range(self.blocks):
            yield f"blocks.{i}.attention.norm"
            yield f"blocks.{i}.dense.norm"
        yield "final.norm"

    def parameters(self, signature: Signature, outputs: int) -> tuple[ParameterSpec, ...]:
        picture = picture_of(signature)
        (patches,) = self.convolutions(picture)
        fan_in, width = patches.inputs * self.patch**2, self.width
        found = [
            ParameterSpec("patches.weight", (width, patches.inputs, self.patch, self.patch), Role.WEIGHT, fan_in, width,
                          incoming=(-3, -2, -1)),
            ParameterSpec("patches.bias", (width,), Role.BIAS, fan_in, width),
            ParameterSpec("places.weight", (self.tokens(picture), width), Role.EMBEDDING, 1, width),
        ]  # fmt: skip
        for name, inputs, units in self._linear():
            bends = self.activation.kind if name.endswith(".wide") else ""
            found.append(ParameterSpec(f"{name}.weight", (units, inputs), Role.WEIGHT, inputs, units, bends,
                                       incoming=(-1,)))  # fmt: skip
            found.append(ParameterSpec(f"{name}.bias", (units,), Role.BIAS, inputs, units, bends))
        for name in self._norms():
            found.append(ParameterSpec(f"{name}.scale", (width,), Role.SCALE, width, width))
            found.append(ParameterSpec(f"{name}.shift", (width,), Role.SHIFT, width, width))
        found.append(ParameterSpec("output.weight", (outputs, width), Role.WEIGHT, width, outputs, is_last=True,
                                   incoming=(-1,)))  # fmt: skip
        found.append(ParameterSpec("output.bias", (outputs,), Role.BIAS, width, outputs, is_last=True))
        return tuple(found)

    def buffers(self, signature: Signature, outputs: int) -> tuple[BufferSpec, ...]:
        return ()

    def units(self, signature: Signature, outputs: int) -> int:
        tokens = self.tokens(picture_of(signature))
        each = self.blocks * (tokens * (6 + _WIDER) * self.width + self.heads * tokens**2)
        return signature.dense + outputs + tokens * self.width + each

    def structure(self, signature: Signature, outputs: int) -> Structure:
        picture = picture_of(signature)
        (patches,) = self.convolutions(picture)
        tokens, width = self.tokens(picture), self.width
        size = patches.inputs * self.patch**2 * width
        shapes = [
            LayerShape("patches", "conv", patches.inputs, width, size + width, size + width, 2 * size * tokens),
            LayerShape("places", "embedding", tokens, width, tokens * width, tokens * width, tokens * width),
        ]
        for name, inputs, units in self._linear():
            count = (inputs + 1) * units
            bends = self.activation.kind if name.endswith(".wide") else ""
            # What attention itself costs is counted with the layer that leaves it.
            mixing = 4 * tokens**2 * width if name.endswith(".leaving") else 0
            shapes.append(LayerShape(name, "linear", inputs, units, count, count, 2 * inputs * units * tokens + mixing,
                                     bends))  # fmt: skip
        shapes += [LayerShape(each, "layer-norm", width, width, 2 * width, 2 * width, 5 * width * tokens)
                   for each in self._norms()]  # fmt: skip
        count = (width + 1) * outputs
        shapes.append(LayerShape("output", "linear", width, outputs, count, count, 2 * width * outputs))
        return Structure(self.kind, tuple(shapes))

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor:
        if spec.name == "places.weight":
            return torch.randn(spec.shape, generator=generator) * _PLACE_SPREAD
        return super().draw(spec, generator)

    def features(self, member: Member, x: Tensor, convolutions: Mapping[str, Convolution]) -> Tensor:
        weights, side = member.weights, self.patch
        height, width = x.shape[2:]
        x = functional.pad(x, (0, -width % side, 0, -height % side))
        x = functional.conv2d(x, weights["patches.weight"], weights["patches.bias"], side)
        down, across = x.shape[2:]
        x = x.flatten(2).transpose(1, 2) + weights["places.weight"]
        for i in range(self.blocks):
            block = f"blocks.{i}"
            entering = self._linear_of(member, f"{block}.entering", self._normed(member, f"{block}.attention.norm", x))
            count, tokens, _ = x.shape
            apart = entering.reshape(count, tokens, 3, self.heads, self.width // self.heads).permute(2, 0, 3, 1, 4)
            query, key, value = apart.unbind(0)
            mixed = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
            x = x + self._linear_of(member, f"{block}.leaving", mixed)
            before = self._linear_of(member, f"{block}.wide", self._normed(member, f"{block}.dense.norm", x))
            after = self.activation(before)
            member.see(f"{block}.wide", before.flatten(0, 1), after.flatten(0, 1))
            x = x + self._linear_of(member, f"{block}.narrow", after)
        x = self._normed(member, "final.norm", x)
        return x.transpose(1, 2).reshape(len(x), self.width, down, across)

    def _linear_of(self, member: Member, name: str, x: Tensor) -> Tensor:
        return functional.linear(x, member.weights[f"{name}.weight"], member.weights[f"{name}.bias"])

    def _normed(self, member: Member, name: str, x: Tensor) -> Tensor:
        scale, shift = member.weights[f"{name}.scale"], member.weights[f"{name}.shift"]
        return functional.layer_norm(x, (self.width,), scale, shift)
