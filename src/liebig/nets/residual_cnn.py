"""Residual convolutional network.

Does: a stem, then stages of basic blocks (two 3x3 convolutions whose answer is added to what entered them); each stage is
  twice as wide as the one before and works on a quarter of the places. The stem suits the size of the picture: one 3x3
  convolution up to 40 pixels, 5x5 with stride 2 up to 80, 7x7 with stride 2 and pooling above.
Helps: pictures, most of all with augmentation and some dozens of epochs.
Misleads: a few hundred pictures without augmentation are learnt by heart; each doubling of the width costs four times as much.
Source: He et al. 2016, arXiv:1512.03385, figure 5 and section 4.2 (the stem for small pictures).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from liebig.nets.pictures import Convolution, Member, PictureNetwork, halved, residual
from liebig.stack.specs import ParameterSpec

_SMALL, _MIDDLE = 40, 80  # pixels of the shorter side, at most


class ResidualCNN(PictureNetwork):
    """`stages` of `blocks` basic blocks, the first `width` channels wide."""

    kind: Literal["residual-cnn"] = "residual-cnn"
    stages: int = Field(4, ge=1, le=5)

    @property
    def hidden(self) -> int:
        return 1 + 2 * self.stages * self.blocks

    def convolutions(self, picture: tuple[int, ...]) -> tuple[Convolution, ...]:
        channels, height, width = picture
        kernel, stride, pools = _stem(min(height, width))
        if stride == 2:
            height, width = halved(height), halved(width)
        found = [Convolution("stem", channels, self.width, kernel, stride, height * width)]
        if pools:
            height, width = halved(height), halved(width)
        inputs = self.width
        for stage in range(self.stages):
            outputs = self.width * 2**stage
            for block in range(self.blocks):
                stride = 2 if stage and not block else 1
                if stride == 2:
                    height, width = halved(height), halved(width)
                name, places = f"stages.{stage}.{block}", height * width
                found.append(Convolution(f"{name}.first", inputs, outputs, 3, stride, places))
                if stride != 1 or inputs != outputs:
                    found.append(Convolution(f"{name}.shortcut", inputs, outputs, 1, stride, places))
                found.append(Convolution(f"{name}.second", outputs, outputs, 3, 1, places))
                inputs = outputs
        return tuple(found)

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor:
        """A block begins as what passes it by: the scale of its last normalisation starts at 0 (Goyal et al. 2017)."""
        if spec.name.endswith(".second.norm.scale"):
            return torch.zeros(spec.shape)
        return super().draw(spec, generator)

    def features(self, member: Member, x: Tensor, convolutions: Mapping[str, Convolution]) -> Tensor:
        pools = _stem(min(x.shape[2:]))[2]
        stem = convolutions["stem"]
        x = member.bent(stem, member.convolved(stem, x))
        if pools:
            x = functional.max_pool2d(x, 3, 2, 1)
        for stage in range(self.stages):
            for block in range(self.blocks):
                x = residual(member, convolutions, f"stages.{stage}.{block}", x)
        return x


def _stem(side: int) -> tuple[int, int, bool]:
    """Kernel and stride of the first convolution, and whether pooling follows."""
    if side <= _SMALL:
        return 3, 1, False
    return (5, 2, False) if side <= _MIDDLE else (7, 2, True)
