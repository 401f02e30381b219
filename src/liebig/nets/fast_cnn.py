"""Fast residual convolutional network.

Does: one 3x3 convolution, then stages: a 3x3 convolution that doubles the width, 2x2 maximum pooling, and `blocks` residual
  blocks of two convolutions; the largest answer over all places and a linear output layer. Pictures above 40 pixels are halved
  first by a convolution of stride 2, above 80 twice.
Helps: pictures where some minutes must do: it learns in a fraction of the steps that a usual residual network takes (measured:
  docs/pictures.md).
Misleads: with hours to spend deeper networks overtake it.
Source: Page 2018, "How to Train Your ResNet" (the nine-layer network of DAWNBench); He et al. 2016, arXiv:1512.03385.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from liebig.nets.pictures import Convolution, Member, PictureNetwork, halved, residual
from liebig.stack.specs import ParameterSpec

_SMALL: Final = 40  # pixels of the shorter side, at most
_MIDDLE: Final = 80
_LEAST_SIDE: Final = 2  # what is smaller is not pooled any more


class FastCNN(PictureNetwork):
    """`stages`, each twice as wide as the one before, with `blocks` residual blocks each."""

    kind: Literal["fast-cnn"] = "fast-cnn"
    stages: int = Field(3, ge=1, le=5)
    blocks: int = Field(1, ge=0, le=8)

    @property
    def hidden(self) -> int:
        return 1 + self.stages * (1 + 2 * self.blocks)

    def convolutions(self, picture: tuple[int, ...]) -> tuple[Convolution, ...]:
        channels, height, width = picture
        found, inputs = [], channels
        for i, stride in enumerate(_strides(min(height, width))):
            if stride == 2:
                height, width = halved(height), halved(width)
            found.append(Convolution(f"stem.{i}", inputs, self.width, 3, stride, height * width))
            inputs = self.width
        for stage in range(self.stages):
            outputs = self.width * 2 ** (stage + 1)
            found.append(Convolution(f"stages.{stage}.wider", inputs, outputs, 3, 1, height * width))
            if min(height, width) >= _LEAST_SIDE:
                height, width = height // 2, width // 2
            for block in range(self.blocks):
                for part in ("first", "second"):
                    found.append(Convolution(f"stages.{stage}.{block}.{part}", outputs, outputs, 3, 1, height * width))
            inputs = outputs
        return tuple(found)

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor:
        """A block begins as what passes it by: the scale of its last normalisation starts at 0 (Goyal et al. 2017)."""
        if spec.name.endswith(".second.norm.scale"):
            return torch.zeros(spec.shape)
        return super().draw(spec, generator)

    def features(self, member: Member, x: Tensor, convolutions: Mapping[str, Convolution]) -> Tensor:
        for i in range(len(_strides(min(x.shape[2:])))):
            stem = convolutions[f"stem.{i}"]
            x = member.bent(stem, member.convolved(stem, x))
        for stage in range(self.stages):
            wider = convolutions[f"stages.{stage}.wider"]
            x = member.convolved(wider, x)
            if min(x.shape[2:]) >= _LEAST_SIDE:
                x = functional.max_pool2d(x, 2)  # before the activation: a quarter of its work
            x = member.bent(wider, x)
            for block in range(self.blocks):
                x = residual(member, convolutions, f"stages.{stage}.{block}", x)
        return x


def _strides(side: int) -> tuple[int, ...]:
    """Strides of the convolutions before the first stage."""
    if side <= _SMALL:
        return (1,)
    return (2,) if side <= _MIDDLE else (2, 2)
