"""What every network promises: parameters told before they are drawn, and one forward pass for K members."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from liebig.core.evidence import Structure
from liebig.core.settings import Settings
from liebig.nets.initial import torch_default
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.specs import BufferSpec, Encodes, ParameterSpec, Signature, Wants

#: Called at a look with the layer's name, its activation's kind, what enters the activation and what leaves it, [K, B, units].
Tap = Callable[[str, str, Tensor, Tensor], None]


@dataclass(frozen=True, slots=True, eq=False)
class Mode:
    """How a forward pass is made. `draws` is set when training (dropout); `tap` only at a look; `final` where the answer is
    handed over, so that it may cost more than one that only draws a curve (several views of a picture)."""

    training: bool
    draws: Draws | None = None
    tap: Tap | None = None
    final: bool = False


class Forward:
    """K networks of one shape. Concrete ones are frozen dataclasses whose tensors lead with K, so that members can leave.
    `units_first` says that the weights of a layer have its units first."""

    units_first: ClassVar[bool] = False

    def __call__(self, weights: Sequence[Tensor], buffers: Sequence[Tensor], batch: Batch, mode: Mode) -> Tensor:
        """Answers [K, B, outputs] in the compute precision.

        `weights` are [K, *shape] in the order of `NetworkSettings.parameters`, in the compute precision; `buffers` [K,
        *shape] float32 in the order of `NetworkSettings.buffers`, updated in place when training.
        """
        raise NotImplementedError

    def features(self, weights: Sequence[Tensor], buffers: Sequence[Tensor], batch: Batch, mode: Mode) -> Tensor:
        """What stands before the output layer, of networks that say they encode: [K, B, features, height, width] for the
        pictures of `batch`, [K, B * answers, features] for the rows of a table."""
        raise NotImplementedError


class NetworkSettings(Settings):
    """The settings of a network."""

    @property
    def wants(self) -> Wants:
        """What this network asks of the encoder."""
        return Wants()

    @abstractmethod
    def parameters(self, signature: Signature, outputs: int) -> tuple[ParameterSpec, ...]:
        """The parameters of one member, input side first."""

    def buffers(self, signature: Signature, outputs: int) -> tuple[BufferSpec, ...]:
        """The buffers of one member."""
        return ()

    @classmethod
    @abstractmethod
    def forward(
        cls, records: Sequence[NetworkSettings], signature: Signature, outputs: int, device: torch.device
    ) -> Forward:
        """The forward pass of K members, whose records agree but for stackable fields."""

    @abstractmethod
    def structure(self, signature: Signature, outputs: int) -> Structure:
        """The network's card: layers, shapes, parameters, FLOPs of one example."""

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor:
        """The values that one parameter of one member starts from, float32 `spec.shape`, on the processor."""
        return torch_default(spec, generator)

    def first_buffer(self, spec: BufferSpec) -> Tensor:
        """The values that one buffer of one member starts from, float32 `spec.shape`, on the processor."""
        return torch.full(spec.shape, spec.start)

    @property
    def stacks(self) -> bool:
        """True where members trained in one stack cost less than one after another."""
        return True

    @property
    def encodes(self) -> Encodes:
        """What can be given back from what stands before the output layer."""
        return Encodes.NOTHING

    @property
    def views(self) -> int:
        """Passes that one answer takes where it is handed over."""
        return 1

    def units(self, signature: Signature, outputs: int) -> int | None:
        """Numbers that one example leaves on its way through the layers; None where they are told by widths."""
        return None

    @property
    def packed(self) -> int:
        """Outputs that are averaged into one answer: above 1 for a packed ensemble, whose forward pass then gives
        [K, B, answers, outputs] and whose losses are taken for each answer."""
        return 1
