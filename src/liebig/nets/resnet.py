"""Residual network in the shapes of ImageNet.

Does: ResNet-18, 34 or 50 as torchvision has them: a 7x7 convolution of stride 2, pooling, four stages of basic blocks (50:
  bottlenecks), the mean over all places and a linear output layer. `backbone` names a file of weights, whose output layer is left
  out; `trains` says what is then trained: the output layer alone, the last stage with it, or everything.
Helps: few pictures and a backbone that has seen many: its features carry over, and the output layer alone learns in minutes.
Misleads: without a backbone a few thousand small pictures are too few for it; pictures much smaller than 100 pixels are not what
  a backbone has seen; frozen layers keep the statistics of the pictures that they were trained on.
Source: He et al. 2016, arXiv:1512.03385, table 1; torchvision's form, with the stride in the 3x3 convolution of a bottleneck.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from liebig.core.errors import UserError
from liebig.core.evidence import Structure
from liebig.core.recipe import Recipe
from liebig.nets.checkpoint import checkpoint
from liebig.nets.pictures import Convolution, Member, PictureNetwork, halved
from liebig.stack.specs import BufferSpec, ParameterSpec, Role, Signature

Depth = Literal[18, 34, 50]
_BLOCKS: Final[Mapping[int, tuple[int, ...]]] = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
_WIDTH: Final = 64
_WIDER: Final = 4  # what leaves a bottleneck beside its inner width
_PARTS: Final = {
    "weight": "weight",
    "scale": "weight",
    "shift": "bias",
    "mean": "running_mean",
    "variance": "running_var",
}
_STAGE: Final = re.compile(r"layer(\d)\.(\d+)\.")


class ResNet(PictureNetwork):
    """`depth` counts layers. `backbone` is a file of weights with torchvision's names ("" for none)."""

    kind: Literal["resnet"] = "resnet"
    depth: Depth = 18
    backbone: str = Field("", max_length=4096)
    trains: Literal["everything", "last-stage", "output"] = "everything"
    width: Literal[64] = 64
    blocks: Literal[2] = 2

    def conflicts(self, recipe: Recipe) -> str | None:
        if self.trains != "everything" and not self.backbone:
            return f"network {self.kind} that trains {self.trains} only needs a backbone, however it has none"
        drawn = next((each.kind for each in recipe.techniques if each.claims == "initialisation"), None)
        if self.backbone and drawn is not None:
            return f"a backbone brings its own weights, however technique {drawn} draws others"
        learnt = next((each.kind for each in recipe.techniques if each.claims == "pretraining"), None)
        if self.backbone and learnt is not None:
            return f"a backbone is pretrained already, however technique {learnt} would do it again"
        return super().conflicts(recipe)

    @property
    def hidden(self) -> int:
        return self.depth - 1

    def is_frozen(self, layer: str) -> bool:
        if self.trains == "everything":
            return False
        return self.trains == "output" or not layer.startswith("layer4.")

    def convolutions(self, picture: tuple[int, ...]) -> tuple[Convolution, ...]:
        return tuple(self._layers(picture))

    def _layers(self, picture: tuple[int, ...]) -> Iterator[Convolution]:
        channels, height, width = picture
        height, width = halved(height), halved(width)
        yield Convolution("conv1", channels, _WIDTH, 7, 2, height * width)
        height, width, inputs = halved(height), halved(width), _WIDTH
        for stage, count in enumerate(_BLOCKS[self.depth]):
            inner = _WIDTH * 2**stage
            outputs = inner * (_WIDER if self.depth == 50 else 1)
            for block in range(count):
                name, stride, entering = f"layer{stage + 1}.{block}", 2 if stage and not block else 1, height * width
                if stride == 2:
                    height, width = halved(height), halved(width)
                places = height * width
                if self.depth == 50:
                    yield Convolution(f"{name}.conv1", inputs, inner, 1, 1, entering)
                    yield Convolution(f"{name}.conv2", inner, inner, 3, stride, places)
                    yield Convolution(f"{name}.conv3", inner, outputs, 1, 1, places)
                else:
                    yield Convolution(f"{name}.conv1", inputs, inner, 3, stride, places)
                    yield Convolution(f"{name}.conv2", inner, inner, 3, 1, places)
                if stride != 1 or inputs != outputs:
                    yield Convolution(f"{name}.downsample", inputs, outputs, 1, stride, places)
                inputs = outputs

    def parameters(self, signature: Signature, outputs: int) -> tuple[ParameterSpec, ...]:
        return tuple(
            replace(each, role=Role.FROZEN) if not each.is_last and self.is_frozen(each.name) else each
            for each in super().parameters(signature, outputs)
        )

    def structure(self, signature: Signature, outputs: int) -> Structure:
        whole = super().structure(signature, outputs)
        layers = [
            replace(each, trained=0) if each.name != "output" and self.is_frozen(each.name) else each
            for each in whole.layers
        ]
        return Structure(whole.family, tuple(layers))

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor:
        if not self.backbone or spec.is_last:
            return super().draw(spec, generator)
        return self._read(spec.name, spec.shape)

    def first_buffer(self, spec: BufferSpec) -> Tensor:
        return self._read(spec.name, spec.shape) if self.backbone else super().first_buffer(spec)

    def _read(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """The backbone's values for one of our tensors. Raises UserError where it has none of this name and shape."""
        wanted = torchvision_name(name)
        found = checkpoint(self.backbone).get(wanted)
        if found is None:
            raise UserError(f'the backbone "{self.backbone}" has no {wanted}: a ResNet-{self.depth} was expected')
        value = found.float()
        if wanted == "conv1.weight" and value.shape[1] != shape[1] and value.dim() == 4 and shape[1] == 1:
            value = value.sum(1, keepdim=True)  # a grey picture is three channels that agree
        if tuple(value.shape) != shape:
            raise UserError(
                f'the backbone "{self.backbone}" must have {wanted} of shape {shape}, however {tuple(value.shape)} came'
            )
        return value

    def features(self, member: Member, x: Tensor, convolutions: Mapping[str, Convolution]) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.is_frozen("conv1")):
            stem = convolutions["conv1"]
            x = functional.max_pool2d(member.bent(stem, member.convolved(stem, x)), 3, 2, 1)
        for stage, count in enumerate(_BLOCKS[self.depth]):
            for block in range(count):
                name = f"layer{stage + 1}.{block}"
                with torch.set_grad_enabled(torch.is_grad_enabled() and not self.is_frozen(f"{name}.")):
                    x = self._block(member, convolutions, name, x)
        return x

    def _block(self, member: Member, layers: Mapping[str, Convolution], name: str, x: Tensor) -> Tensor:
        inner = ("conv1", "conv2") if self.depth == 50 else ("conv1",)
        h = x
        for part in inner:
            layer = layers[f"{name}.{part}"]
            h = member.bent(layer, member.convolved(layer, h))
        last = layers[f"{name}.conv{len(inner) + 1}"]
        past = layers.get(f"{name}.downsample")
        return member.bent(last, member.convolved(last, h) + (x if past is None else member.convolved(past, x)))


def torchvision_name(name: str) -> str:
    """What torchvision calls one of our tensors: ``layer1.0.conv2.norm.mean`` is ``layer1.0.bn2.running_mean``."""
    if name.startswith("output."):
        return f"fc.{name.removeprefix('output.')}"
    layer, _, part = name.rpartition(".")
    told = _PARTS.get(part, part)
    if not layer.endswith(".norm"):
        return f"{layer}.0.{told}" if layer.endswith(".downsample") else f"{layer}.{told}"
    layer = layer.removesuffix(".norm")
    if layer.endswith(".downsample"):
        return f"{layer}.1.{told}"
    before, _, conv = layer.rpartition("conv")
    return f"{before}bn{conv}.{told}"


def depth_of(path: str) -> Depth:
    """Which of the shapes a file of weights has. Raises UserError where it is none of them."""
    names = checkpoint(path)
    counts = [0, 0, 0, 0]
    for name in names:
        found = _STAGE.match(name)
        if found and 1 <= int(found[1]) <= 4:
            counts[int(found[1]) - 1] = max(counts[int(found[1]) - 1], int(found[2]) + 1)
    is_deep = "layer1.0.conv3.weight" in names
    if tuple(counts) == _BLOCKS[18] and not is_deep:
        return 18
    if tuple(counts) == _BLOCKS[34]:
        return 50 if is_deep else 34
    raise UserError(
        f'the backbone "{path}" must be a ResNet-18, 34 or 50 with torchvision\'s names (layer1.0.conv1.weight, ...), however it '
        f"holds {', '.join(list(names)[:3])}, ..."
    )
