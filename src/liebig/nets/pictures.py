"""What networks that read pictures share: convolutions, normalisations and activations of one member after another.

Convolutions of several members in one call (as groups) are slower on a processor than one member's after another, so a
population of them is trained one by one; the stack then saves nothing but is kept, since everything around it (optimizers,
averages, verdicts) is written for it. Pictures are channels-last in memory, which is measured faster everywhere.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from liebig.core.evidence import LayerShape, Structure
from liebig.core.recipe import Recipe
from liebig.core.settings import STACKABLE
from liebig.nets.activations import AnyActivation
from liebig.nets.activations.relu import ReLU
from liebig.nets.network import Forward, Mode, NetworkSettings
from liebig.stack.batch import Batch
from liebig.stack.specs import BufferSpec, Encodes, ParameterSpec, Role, Signature
from liebig.stack.tree import scalars

_MOMENTUM: Final = 0.1
_EPSILON: Final = 1e-5
_HEAD_STREAM: Final = 2000
#: Pictures that are answered at a time, and places of each layer that a look is shown.
_CHUNK: Final = 256
_LEAST_POOLED: Final = 2
_SHIFTS: Final = 4
_PLACES: Final = 2048

Share = Annotated[float, Field(ge=0.0, lt=1.0), STACKABLE]


@dataclass(frozen=True, slots=True)
class Convolution:
    """One convolution as it stands in a network: square kernel, padded so that a stride of 1 keeps the size. `normalised`
    batch-normalises what leaves it, `pooled` halves its sides before that (2x2 maximum pooling: normalising a quarter is cheaper,
    and the same but for the pooled few); `places` are the positions that it answers."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    stride: int
    places: int
    normalised: bool = True
    pooled: bool = False


class PictureNetwork(NetworkSettings):
    """Convolutions, the mean over all places, dropout, and a linear output layer.

    `blocks` says how deep it is, in its own blocks. `dropout` acts on the means. What is handed over is the mean of the answers
    for several views of a picture: with `mirrored` also its mirror image, with `shifted` also four shifts by one pixel (which
    together count as much as the picture itself).
    """

    width: int = Field(32, ge=1, le=4096)
    activation: AnyActivation = ReLU()
    dropout: Share = 0.0
    blocks: int = Field(2, ge=1, le=16)
    mirrored: bool = False
    shifted: bool = False

    def conflicts(self, recipe: Recipe) -> str | None:
        if recipe.inputs.kind != "pictures":
            return f"network {self.kind} reads pictures, however the inputs are of kind {recipe.inputs.kind}"
        return None

    @property
    def stacks(self) -> bool:
        return False

    @property
    def encodes(self) -> Encodes:
        return Encodes.PICTURES

    @property
    def views(self) -> int:
        return (2 if self.mirrored else 1) * (_SHIFTS + 1 if self.shifted else 1)

    @property
    @abstractmethod
    def hidden(self) -> int:
        """Convolutions one after another."""

    @property
    def is_normalised(self) -> bool:
        """True when its convolutions are batch-normalised."""
        return True

    def is_frozen(self, layer: str) -> bool:
        """True for a layer that is not trained: its normalisation keeps the statistics that it came with."""
        return False

    @abstractmethod
    def convolutions(self, picture: tuple[int, ...]) -> tuple[Convolution, ...]:
        """Every convolution, input side first, for pictures of (channels, height, width)."""

    @abstractmethod
    def features(self, member: Member, x: Tensor, convolutions: Mapping[str, Convolution]) -> Tensor:
        """What leaves the last convolution, [B, features, height, width], for `x` [B, channels, height, width]."""

    def parameters(self, signature: Signature, outputs: int) -> tuple[ParameterSpec, ...]:
        specs, incoming = [], (-3, -2, -1)
        layers = self.convolutions(picture_of(signature))
        for each in layers:
            fan_in, fan_out = each.inputs * each.kernel**2, each.outputs * each.kernel**2
            bends = self.activation.kind
            shape = (each.outputs, each.inputs, each.kernel, each.kernel)
            specs.append(ParameterSpec(f"{each.name}.weight", shape, Role.WEIGHT, fan_in, fan_out, bends,
                                       incoming=incoming))  # fmt: skip
            if each.normalised:
                for part, role in (("scale", Role.SCALE), ("shift", Role.SHIFT)):
                    specs.append(ParameterSpec(f"{each.name}.norm.{part}", (each.outputs,), role, each.outputs, each.outputs))  # fmt: skip
            else:
                specs.append(ParameterSpec(f"{each.name}.bias", (each.outputs,), Role.BIAS, fan_in, fan_out, bends))
        last = layers[-1].outputs
        specs.append(ParameterSpec("output.weight", (outputs, last), Role.WEIGHT, last, outputs, is_last=True,
                                   incoming=(-1,)))  # fmt: skip
        specs.append(ParameterSpec("output.bias", (outputs,), Role.BIAS, last, outputs, is_last=True))
        return tuple(specs)

    def buffers(self, signature: Signature, outputs: int) -> tuple[BufferSpec, ...]:
        found: list[BufferSpec] = []
        for each in self.convolutions(picture_of(signature)):
            if each.normalised:
                found.append(BufferSpec(f"{each.name}.norm.mean", (each.outputs,), 0.0))
                found.append(BufferSpec(f"{each.name}.norm.variance", (each.outputs,), 1.0))
        return tuple(found)

    def units(self, signature: Signature, outputs: int) -> int:
        layers = self.convolutions(picture_of(signature))
        return signature.dense + outputs + sum(each.outputs * each.places for each in layers)

    @classmethod
    def forward(
        cls, records: Sequence[NetworkSettings], signature: Signature, outputs: int, device: torch.device
    ) -> PictureForward:
        nets = [record for record in records if isinstance(record, cls)]
        first = nets[0]
        return PictureForward(
            first, scalars(nets, "dropout", device), tuple(each.name for each in first.parameters(signature, outputs)),
            tuple(each.name for each in first.buffers(signature, outputs)),
            {each.name: each for each in first.convolutions(picture_of(signature))}, any(each.dropout > 0 for each in nets),
        )  # fmt: skip

    def structure(self, signature: Signature, outputs: int) -> Structure:
        shapes: list[LayerShape] = []
        layers = self.convolutions(picture_of(signature))
        for each in layers:
            weights = each.inputs * each.outputs * each.kernel**2
            count = weights if each.normalised else weights + each.outputs
            bends = self.activation.kind
            shapes.append(LayerShape(each.name, "conv", each.inputs, each.outputs, count, count,
                                     2 * weights * each.places, bends))  # fmt: skip
            if each.normalised:
                shapes.append(LayerShape(f"{each.name}.norm", "batch-norm-2d", each.outputs, each.outputs,
                                         2 * each.outputs, 2 * each.outputs, 4 * each.outputs * each.places))  # fmt: skip
        last = layers[-1].outputs
        count = (last + 1) * outputs
        shapes.append(LayerShape("output", "linear", last, outputs, count, count, 2 * last * outputs))
        return Structure(self.kind, tuple(shapes))


def picture_of(signature: Signature) -> tuple[int, ...]:
    """(channels, height, width) of what enters. Raises ValueError where that are no pictures."""
    if len(signature.picture) != 3:
        raise ValueError(f"a network of convolutions needs pictures, however {signature.dense} plain values came")
    return signature.picture


def pooled_side(side: int) -> int:
    """The side of what leaves 2x2 maximum pooling; what is too small is not pooled any more."""
    return side // 2 if side >= _LEAST_POOLED else side


def halved(side: int) -> int:
    """The side of what leaves a convolution of stride 2 (or a pooling with one place of padding)."""
    return (side + 1) // 2


#: What a look is shown of one layer of one member: its name, activation, and what enters and leaves the activation.
_Seen = tuple[str, str, Tensor, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One member's pass: its weights and buffers by name, and how it is made. `seen` collects layers for a look."""

    settings: PictureNetwork
    weights: Mapping[str, Tensor]
    buffers: Mapping[str, Tensor]
    mode: Mode
    seen: list[_Seen]

    def convolved(self, layer: Convolution, x: Tensor) -> Tensor:
        """Convolution -> pooling -> normalisation, the activation left out."""
        bias = None if layer.normalised else self.weights[f"{layer.name}.bias"]
        weight = self.weights[f"{layer.name}.weight"]
        x = functional.conv2d(x, weight, bias, layer.stride, layer.kernel // 2)
        if layer.pooled:
            x = functional.max_pool2d(x, [2 if side >= _LEAST_POOLED else 1 for side in x.shape[2:]])
        return self._normalised(layer.name, x) if layer.normalised else x

    def bent(self, layer: Convolution, x: Tensor) -> Tensor:
        """The activation behind `layer`."""
        after = self.settings.activation(x)
        if self.mode.tap is not None:
            self.see(layer.name, _units_last(x), _units_last(after))
        return after

    def see(self, name: str, before: Tensor, after: Tensor) -> None:
        """Keep for a look what enters and leaves an activation, [rows, units] each; at most so many rows."""
        if self.mode.tap is not None:
            step = max(1, len(before) // _PLACES)
            kept = (before.detach()[::step][:_PLACES], after.detach()[::step][:_PLACES])
            self.seen.append((name, self.settings.activation.kind, *kept))

    def _normalised(self, name: str, x: Tensor) -> Tensor:
        scale, shift = self.weights[f"{name}.norm.scale"].float(), self.weights[f"{name}.norm.shift"].float()
        mean, variance = self.buffers[f"{name}.norm.mean"], self.buffers[f"{name}.norm.variance"]
        if x.dtype != torch.float32 and x.device.type == "mps":
            x = x.float()
        training = self.mode.training and not self.settings.is_frozen(name)
        return functional.batch_norm(x, mean, variance, scale, shift, training, _MOMENTUM, _EPSILON)


def _units_last(x: Tensor) -> Tensor:
    """[rows, channels] of [B, channels, height, width]."""
    return x.detach().permute(0, 2, 3, 1).reshape(-1, x.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class PictureForward(Forward):
    """K networks of convolutions of one shape, one after another; `dropout` [K], and whether any of them drops: asking the
    device in each step would wait for it."""

    settings: PictureNetwork
    dropout: Tensor
    names: tuple[str, ...]
    buffer_names: tuple[str, ...]
    layers: Mapping[str, Convolution]
    drops: bool

    def __call__(self, weights: Sequence[Tensor], buffers: Sequence[Tensor], batch: Batch, mode: Mode) -> Tensor:
        members = len(weights[0])
        apart = [each.unbind(0) for each in weights]  # once: its gradient is one stack, not one sum for each member
        kept = self._kept(batch, mode, members)
        answers: list[Tensor] = []
        seen: list[list[_Seen]] = []
        for k in range(members):
            own = dict(zip(self.names, (each[k] for each in apart), strict=True))
            held = dict(zip(self.buffer_names, (each[k] for each in buffers), strict=True))
            member = Member(self.settings, own, held, mode, [])
            x = _pictures_of(batch, k)
            answers.append(self._answer(member, x, None if kept is None else kept[k]))
            seen.append(member.seen)
        if mode.tap is not None:
            for layers in zip(*seen, strict=True):
                name, kind, _, _ = layers[0]
                before, after = (torch.stack([each[part] for each in layers]) for part in (2, 3))
                mode.tap(name, kind, before, after)
        return torch.stack(answers)

    def features(self, weights: Sequence[Tensor], buffers: Sequence[Tensor], batch: Batch, mode: Mode) -> Tensor:
        apart = [each.unbind(0) for each in weights]
        found = []
        for k, x in enumerate(batch.dense):
            own = dict(zip(self.names, (each[k] for each in apart), strict=True))
            held = dict(zip(self.buffer_names, (each[k] for each in buffers), strict=True))
            entering = x.to(own["output.weight"].dtype, memory_format=torch.channels_last)
            found.append(self.settings.features(Member(self.settings, own, held, mode, []), entering, self.layers))
        return torch.stack(found)

    def _kept(self, batch: Batch, mode: Mode, members: int) -> Tensor | None:
        """What the features of each member are multiplied by, [K, B, features]; None without dropout."""
        if mode.draws is None or not mode.training or not self.drops:
            return None
        last = list(self.layers.values())[-1].outputs
        return mode.draws.kept(1.0 - self.dropout, (batch.dense.shape[1], last), _HEAD_STREAM, batch.dense.dtype)

    def _answer(self, member: Member, x: Tensor, kept: Tensor | None) -> Tensor:
        if member.mode.training or member.mode.tap is not None:
            return self._once(member, x, kept)
        parts = []
        for part in torch.split(x, _CHUNK):
            views = self._views(part) if member.mode.final else [(1.0, part)]
            answered = [weight * self._once(member, view, None) for weight, view in views]
            parts.append(torch.stack(answered).sum(0) if len(answered) > 1 else answered[0])
        return torch.cat(parts) if len(parts) != 1 else parts[0]

    def _views(self, x: Tensor) -> list[tuple[float, Tensor]]:
        """Views of the pictures [B, channels, height, width], each with its share in the answer."""
        height, width = x.shape[2:]
        views = [(1.0, x)]
        if self.settings.shifted and min(height, width) > 1:
            wider = functional.pad(x, (1, 1, 1, 1), "reflect")
            corners = [wider[:, :, i : i + height, j : j + width] for i in (0, 2) for j in (0, 2)]
            views = [(0.5, x), *((0.125, each) for each in corners)]
        if self.settings.mirrored:
            views = [(share / 2, each) for share, view in views for each in (view, view.flip(-1))]
        return views

    def _once(self, member: Member, x: Tensor, kept: Tensor | None) -> Tensor:
        x = x.to(member.weights["output.weight"].dtype, memory_format=torch.channels_last)
        features = self.settings.features(member, x, self.layers).mean((2, 3))
        if kept is not None:
            features = features * kept
        return functional.linear(features, member.weights["output.weight"], member.weights["output.bias"])


def _pictures_of(batch: Batch, k: int) -> Tensor:
    """The pictures that member k reads, [B, channels, height, width]."""
    if batch.member_group is None:
        return batch.dense[k if len(batch.dense) > 1 else 0]
    if len(batch.dense) == 1:
        return batch.dense[0]
    if batch.dense.device.type == "cpu":
        return batch.dense[int(batch.member_group[k])]
    return batch.dense.index_select(0, batch.member_group[k : k + 1])[0]  # the device knows which: nobody waits for it


def residual(member: Member, layers: Mapping[str, Convolution], name: str, x: Tensor) -> Tensor:
    """Two convolutions whose answer is added to what entered them (or to its projection), then the activation."""
    first, second = layers[f"{name}.first"], layers[f"{name}.second"]
    h = member.convolved(second, member.bent(first, member.convolved(first, x)))
    shortcut = layers.get(f"{name}.shortcut")
    return member.bent(second, h + (x if shortcut is None else member.convolved(shortcut, x)))
