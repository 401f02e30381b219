"""Small transformer.

Does: joins neighbouring steps to patches, adds where each stands, and lets every patch attend to all others, block after block.
Helps: long sequences whose parts refer to each other, many examples.
Misleads: some hundred sequences: it has no taste of its own for what is near, and learns them by heart.
Source: Vaswani et al. 2017, arXiv:1706.03762; patches of Nie et al. 2023, arXiv:2211.14730; normalisation first of Xiong et al.
  2020, arXiv:2002.04745.
"""

from __future__ import annotations

import math
from typing import Final, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from liebig.core.evidence import LayerShape
from liebig.core.recipe import Recipe
from liebig.nets.sequences import Member, SequenceNetwork
from liebig.stack.specs import ParameterSpec, Role

_EPSILON: Final = 1e-5
_WIDER: Final = 2  # the layer inside a block, beside the block
_SLOWEST: Final = 10_000.0
_STREAM: Final = 3300


class SmallTransformer(SequenceNetwork):
    """`depth` blocks of attention with `heads` heads and a dense layer; `patch` steps are one token."""

    kind: Literal["transformer"] = "transformer"
    heads: int = Field(4, ge=1, le=64)
    patch: int = Field(1, ge=1, le=256)

    def conflicts(self, recipe: Recipe) -> str | None:
        if self.width % self.heads:
            return (
                f"the width of a transformer is shared out among its heads, however {self.width} came for {self.heads}"
            )
        return super().conflicts(recipe)

    def states_width(self) -> int:
        return self.width

    def _linear(self, i: int) -> tuple[tuple[str, int, int, str], ...]:
        """(name, inputs, outputs, activation behind it) of a block's layers."""
        width = self.width
        return (
            (f"layers.{i}.attention.in", width, 3 * width, ""), (f"layers.{i}.attention.out", width, width, ""),
            (f"layers.{i}.first", width, _WIDER * width, "gelu"), (f"layers.{i}.second", _WIDER * width, width, ""),
        )  # fmt: skip

    def body(self, channels: int) -> tuple[ParameterSpec, ...]:
        inputs = channels * self.patch
        specs = [*_dense("inputs", inputs, self.width, "")]
        for i in range(self.depth):
            for part in ("attention", "dense"):
                specs += _norm(f"layers.{i}.{part}.norm", self.width)
            for name, entering, leaving, bends in self._linear(i):
                specs += _dense(name, entering, leaving, bends)
        return (*specs, *_norm("norm", self.width))

    def body_shapes(self, steps: int, channels: int) -> tuple[LayerShape, ...]:
        tokens = -(-steps // self.patch)
        inputs = channels * self.patch
        shapes = [_shape("inputs", inputs, self.width, tokens, "")]
        for i in range(self.depth):
            shapes += [
                _shape(name, entering, leaving, tokens, bends) for name, entering, leaving, bends in self._linear(i)
            ]
        return tuple(shapes)

    def states(self, member: Member, x: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        behind = -x.shape[1] % self.patch
        x, there = functional.pad(x, (0, 0, 0, behind)), functional.pad(there, (0, behind))
        x = x.reshape(len(x), -1, self.patch * x.shape[2])
        there = there.reshape(len(there), -1, self.patch).amax(dim=2)
        x = _applied(member, "inputs", x)
        x = x + places(x.shape[1], self.width, x.device).to(x.dtype)
        seen = there[:, None, None, :] > 0
        for i in range(self.depth):
            x = x + self._attended(member, i, _normed(member, f"layers.{i}.attention.norm", x), seen)
            before = _applied(member, f"layers.{i}.first", _normed(member, f"layers.{i}.dense.norm", x))
            after = functional.gelu(before)
            member.see(f"layers.{i}.first", "gelu", before, after)
            left = _applied(member, f"layers.{i}.second", after)
            kept = member.kept(self.dropout, tuple(left.shape), _STREAM + i, left.dtype)
            x = x + (left if kept is None else left * kept)
        return _normed(member, "norm", x), there

    def _attended(self, member: Member, i: int, x: Tensor, seen: Tensor) -> Tensor:
        count, tokens, width = x.shape
        whole = _applied(member, f"layers.{i}.attention.in", x)
        parts = whole.view(count, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=seen)
        return _applied(member, f"layers.{i}.attention.out", mixed.transpose(1, 2).reshape(count, tokens, width))


def places(tokens: int, width: int, device: torch.device) -> Tensor:
    """Where each token stands, as waves of many lengths, float32 [tokens, width]."""
    half = (width + 1) // 2
    rates = torch.exp(torch.arange(half, device=device) * (-math.log(_SLOWEST) / max(half, 1)))
    angles = torch.arange(tokens, device=device)[:, None] * rates[None]
    return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)[:, :width]


def _dense(name: str, inputs: int, outputs: int, bends: str) -> list[ParameterSpec]:
    return [
        ParameterSpec(f"{name}.weight", (outputs, inputs), Role.WEIGHT, inputs, outputs, bends, incoming=(-1,)),
        ParameterSpec(f"{name}.bias", (outputs,), Role.BIAS, inputs, outputs, bends),
    ]


def _norm(name: str, width: int) -> list[ParameterSpec]:
    return [
        ParameterSpec(f"{name}.scale", (width,), Role.SCALE, width, width),
        ParameterSpec(f"{name}.shift", (width,), Role.SHIFT, width, width),
    ]


def _shape(name: str, inputs: int, outputs: int, tokens: int, bends: str) -> LayerShape:
    count = (inputs + 1) * outputs
    return LayerShape(name, "linear", inputs, outputs, count, count, 2 * inputs * outputs * tokens, bends)


def _applied(member: Member, name: str, x: Tensor) -> Tensor:
    return functional.linear(x, member.weights[f"{name}.weight"], member.weights[f"{name}.bias"])


def _normed(member: Member, name: str, x: Tensor) -> Tensor:
    scale, shift = member.weights[f"{name}.scale"], member.weights[f"{name}.shift"]
    return functional.layer_norm(x, x.shape[-1:], scale, shift, _EPSILON)
