"""Temporal convolutional network.

Does: residual blocks of two convolutions along time, each batch-normalised over the steps that are there; between blocks
  neighbouring steps are pooled, so that later blocks see further; then the mean over all steps (and the last and the largest).
Helps: most sequences with a shape to be found somewhere; all steps at once, so that it is quicker than what goes step by step.
Misleads: what is further apart than its blocks reach is only seen by the pooling; order at large is lost in a mean.
Source: Wang, Yan & Oates 2017, arXiv:1611.06455; Bai, Kolter & Koltun 2018, arXiv:1803.01271.
"""

from __future__ import annotations

from typing import Final, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from liebig.core.evidence import LayerShape
from liebig.nets.activations import AnyActivation
from liebig.nets.activations.relu import ReLU
from liebig.nets.sequences import Member, SequenceNetwork
from liebig.stack.specs import BufferSpec, ParameterSpec, Role, Signature

_MOMENTUM: Final = 0.1
_EPSILON: Final = 1e-5
_LEAST_STEPS: Final = 8  # a sequence as short as this is not pooled any more


class TemporalCNN(SequenceNetwork):
    """`depth` blocks, `width` channels wide; `kernel` steps are read at once. With a `stride` above 1 the first convolution answers
    for every so many-th step only."""

    kind: Literal["temporal-cnn"] = "temporal-cnn"
    depth: int = Field(3, ge=1, le=12)
    kernel: int = Field(7, ge=1, le=65)
    stride: int = Field(1, ge=1, le=64)
    activation: AnyActivation = ReLU()

    def states_width(self) -> int:
        return self.width

    def _layers(self, channels: int) -> list[tuple[str, int, int]]:
        """(name, channels that enter, kernel) of each convolution, input side first."""
        found = []
        for i in range(self.depth):
            inputs = channels if i == 0 else self.width
            found.append((f"layers.{i}.first", inputs, self.kernel))
            found.append((f"layers.{i}.second", self.width, self.kernel))
            if i == 0:
                found.append((f"layers.{i}.shortcut", inputs, 1))
        return found

    def body(self, channels: int) -> tuple[ParameterSpec, ...]:
        specs = []
        for name, inputs, kernel in self._layers(channels):
            fan_in, fan_out = inputs * kernel, self.width * kernel
            specs.append(ParameterSpec(f"{name}.weight", (self.width, inputs, kernel), Role.WEIGHT, fan_in, fan_out,
                                       self.activation.kind, incoming=(-2, -1)))  # fmt: skip
            for part, role in (("scale", Role.SCALE), ("shift", Role.SHIFT)):
                specs.append(ParameterSpec(f"{name}.norm.{part}", (self.width,), role, self.width, self.width))
        return tuple(specs)

    def buffers(self, signature: Signature, outputs: int) -> tuple[BufferSpec, ...]:
        found: list[BufferSpec] = []
        for name, _, _ in self._layers(1):
            found.append(BufferSpec(f"{name}.norm.mean", (self.width,), 0.0))
            found.append(BufferSpec(f"{name}.norm.variance", (self.width,), 1.0))
        return tuple(found)

    def body_shapes(self, steps: int, channels: int) -> tuple[LayerShape, ...]:
        shapes, places = [], -(-steps // self.stride)
        for name, inputs, kernel in self._layers(channels):
            if name.endswith("first") and not name.startswith("layers.0") and places >= 2 * _LEAST_STEPS:
                places = -(-places // 2)
            weights = inputs * self.width * kernel
            shapes.append(LayerShape(name, "conv", inputs, self.width, weights, weights, 2 * weights * places, self.activation.kind))  # fmt: skip
            shapes.append(LayerShape(f"{name}.norm", "batch-norm-1d", self.width, self.width, 2 * self.width, 2 * self.width,
                                     4 * self.width * places))  # fmt: skip
        return tuple(shapes)

    def states(self, member: Member, x: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        x = x.transpose(1, 2)  # [B, channels, steps]
        ragged = bool((there == 0).any())
        places = -(-member.steps // self.stride)  # of a whole sequence: how deep it is pooled depends on no batch
        for i in range(self.depth):
            if i and places >= 2 * _LEAST_STEPS:
                x, there = _pooled(x, there)
                places = -(-places // 2)
            stride = self.stride if i == 0 else 1
            if stride > 1:
                before, there = x, there[:, ::stride]
            else:
                before = x
            mask = there[:, None] if ragged else None
            h = self._convolved(member, f"layers.{i}.first", before, mask, stride)
            h = self._bent(member, f"layers.{i}.first", h, mask)
            h = self._convolved(member, f"layers.{i}.second", h, mask, 1)
            shortcut = self._convolved(member, f"layers.{i}.shortcut", before, mask, stride) if i == 0 else before
            x = self._bent(member, f"layers.{i}.second", h + shortcut, mask)
        return x.transpose(1, 2), there

    def _convolved(self, member: Member, name: str, x: Tensor, mask: Tensor | None, stride: int) -> Tensor:
        weight = member.weights[f"{name}.weight"]
        padding = weight.shape[2] - 1
        x = functional.pad(x, (padding // 2, padding - padding // 2)) if padding else x
        x = functional.conv1d(x, weight, None, stride)
        scale, shift = member.weights[f"{name}.norm.scale"].float(), member.weights[f"{name}.norm.shift"].float()
        mean, variance = member.buffers[f"{name}.norm.mean"], member.buffers[f"{name}.norm.variance"]
        if mask is None or not member.mode.training:
            return functional.batch_norm(x, mean, variance, scale, shift, member.mode.training, _MOMENTUM, _EPSILON)
        return masked_batch_norm(x, mask, mean, variance, scale, shift)

    def _bent(self, member: Member, name: str, x: Tensor, mask: Tensor | None) -> Tensor:
        after = self.activation(x)
        member.see(name, self.activation.kind, x.transpose(1, 2), after.transpose(1, 2))
        return after if mask is None else after * mask


def _pooled(x: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """The larger of two neighbouring steps, of those that are there; a last single one stays."""
    behind = torch.finfo(x.dtype).min
    x = functional.max_pool1d(x.masked_fill(there[:, None] == 0, behind), 2, ceil_mode=True)
    there = functional.max_pool1d(there[:, None], 2, ceil_mode=True)
    return x.masked_fill(there == 0, 0.0), there[:, 0]


def masked_batch_norm(x: Tensor, mask: Tensor, mean: Tensor, variance: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Batch normalisation of `x` [B, channels, steps] by the steps where `mask` [B, 1, steps] is 1; `mean` and `variance` [channels]
    are updated in place."""
    wide = x.float()
    known = mask.float()
    count = known.sum().clamp(min=2.0)
    own = (wide * known).sum(dim=(0, 2)) / count
    centred = (wide - own[None, :, None]) * known
    spread = centred.square().sum(dim=(0, 2)) / count
    with torch.no_grad():
        mean.lerp_(own, _MOMENTUM)
        variance.lerp_(spread * (count / (count - 1)), _MOMENTUM)
    factor = scale * torch.rsqrt(spread + _EPSILON)
    return (centred * factor[None, :, None] + shift[None, :, None]).to(x.dtype)
