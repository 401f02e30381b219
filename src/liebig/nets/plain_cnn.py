"""Plain convolutional network.

Does: blocks of one 3x3 convolution, batch normalisation, activation and 2x2 maximum pooling, each twice as wide as the one
  before; then the mean over all places and a linear output layer.
Helps: pictures: neighbouring pixels belong together, and what is found in one place counts in every other (CIFAR-10: an MLP
  on pixels answers 40 to 55 %, three such blocks 70 to 80 %).
Misleads: more blocks than halvings leave no picture; without augmentation it learns a few thousand pictures by heart.
Source: LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition"; global average pooling of Lin, Chen & Yan
  2013, arXiv:1312.4400.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional

from liebig.nets.pictures import Convolution, Member, PictureNetwork

_LEAST_SIDE = 4  # a picture this small is not halved any more


class PlainCNN(PictureNetwork):
    """`blocks` convolutions, the first `width` channels wide; `normalised` says that each is batch-normalised."""

    kind: Literal["plain-cnn"] = "plain-cnn"
    blocks: int = Field(3, ge=1, le=8)
    normalised: bool = True

    @property
    def hidden(self) -> int:
        return self.blocks

    @property
    def is_normalised(self) -> bool:
        return self.normalised

    def convolutions(self, picture: tuple[int, ...]) -> tuple[Convolution, ...]:
        inputs, height, width = picture
        found = []
        for i in range(self.blocks):
            outputs = self.width * 2**i
            found.append(Convolution(f"layers.{i}", inputs, outputs, 3, 1, height * width, self.normalised))
            inputs = outputs
            if min(height, width) >= _LEAST_SIDE:
                height, width = height // 2, width // 2
        return tuple(found)

    def features(self, member: Member, x: Tensor, convolutions: Mapping[str, Convolution]) -> Tensor:
        for layer in convolutions.values():
            x = member.bent(layer, member.convolved(layer, x))
            if min(x.shape[2:]) >= _LEAST_SIDE:
                x = functional.max_pool2d(x, 2)
        return x
