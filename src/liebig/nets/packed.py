"""Packed ensemble.

Does: several answers from one network: all share the weight matrices, each scales every layer's inputs and outputs by
  learnt values of its own and has biases and an output layer of its own; losses are taken for each answer, predictions
  are averaged.
Helps: noisy tables, where sharing weights regularises.
Misleads: costs as much as independent members, which differ more from each other.
Source: Gorishniy, Kotelnikov & Babenko 2025, "TabM", arXiv:2410.24210, section 3.3; Wen, Tran & Ba 2020, arXiv:2002.06715.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.evidence import LayerShape, Structure
from liebig.nets.dense import DenseSettings, Dropping, dropping, hidden_layer, member_inputs
from liebig.nets.network import Forward, Mode, NetworkSettings
from liebig.nets.normalisations.normalisation import Named
from liebig.stack.batch import Batch
from liebig.stack.specs import ParameterSpec, Role, Signature

_FIRST_SCALING = "layers.0.input_scale"


class PackedMLP(DenseSettings):
    """Answers of one network with shared weights. `answers` of them are averaged."""

    kind: Literal["packed-mlp"] = "packed-mlp"
    answers: int = Field(16, ge=2, le=256)

    @property
    def packed(self) -> int:
        return self.answers

    def parameters(self, signature: Signature, outputs: int) -> tuple[ParameterSpec, ...]:
        specs, inputs, k = list(self.input_parameters(signature)), self.inputs_of(signature), self.answers
        for i, units in enumerate(self.widths()):
            name, bends = f"layers.{i}", self.activation.kind
            specs.append(ParameterSpec(f"{name}.input_scale", (k, inputs), Role.SCALE, inputs, inputs))
            specs.append(ParameterSpec(f"{name}.weight", (inputs, units), Role.WEIGHT, inputs, units, bends))
            specs.append(ParameterSpec(f"{name}.output_scale", (k, units), Role.SCALE, units, units))
            specs.append(ParameterSpec(f"{name}.bias", (k, units), Role.BIAS, inputs, units, bends))
            specs.extend(self.normalisation.parameters(f"{name}.norm", units))
            inputs = units
        specs.append(ParameterSpec("output.weight", (k, inputs, outputs), Role.WEIGHT, inputs, outputs, is_last=True))
        specs.append(ParameterSpec("output.bias", (k, outputs), Role.BIAS, inputs, outputs, is_last=True))
        return tuple(specs)

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor:
        if spec.name == _FIRST_SCALING:
            # Random signs make the answers differ from the first step on; later scalings start at 1.
            return torch.randint(0, 2, spec.shape, generator=generator).float().mul_(2).sub_(1)
        return super().draw(spec, generator)

    @classmethod
    def forward(
        cls, records: Sequence[NetworkSettings], signature: Signature, outputs: int, device: torch.device
    ) -> PackedForward:
        nets = [record for record in records if isinstance(record, cls)]
        first = nets[0]
        return PackedForward(
            first, dropping(nets, device), tuple(spec.name for spec in first.parameters(signature, outputs)),
            tuple(spec.name for spec in first.buffers(signature, outputs)),
        )  # fmt: skip

    def structure(self, signature: Signature, outputs: int) -> Structure:
        layers, inputs, k = list(self.input_shapes(signature)), self.inputs_of(signature), self.answers
        for i, units in enumerate(self.widths()):
            count = inputs * units + k * (inputs + 2 * units)
            flops = k * (2 * inputs * units + inputs + units)
            layers.append(
                LayerShape(f"layers.{i}", "packed-linear", inputs, units, count, count, flops, self.activation.kind)
            )
            layers.extend(self.norm_shape(f"layers.{i}.norm", units))
            inputs = units
        count = k * (inputs + 1) * outputs
        layers.append(LayerShape("output", "packed-linear", inputs, outputs, count, count, 2 * k * inputs * outputs))
        return Structure(self.kind, tuple(layers))


@dataclass(frozen=True, slots=True, eq=False)
class PackedForward(Forward):
    """K packed ensembles of one shape."""

    settings: PackedMLP
    dropped: Dropping
    names: tuple[str, ...]
    buffer_names: tuple[str, ...]

    def __call__(self, weights: Sequence[Tensor], buffers: Sequence[Tensor], batch: Batch, mode: Mode) -> Tensor:
        """Answers [K, B, answers, outputs]."""
        named = dict(zip(self.names, weights, strict=True))
        held = dict(zip(self.buffer_names, buffers, strict=True))
        x = self._hidden(named, held, batch, mode)
        apart = x.reshape(x.shape[0], -1, self.settings.answers, x.shape[2])
        product: Tensor = torch.einsum("mbki,mkio->mbko", apart, named["output.weight"])
        return product + named["output.bias"][:, None]

    def features(self, weights: Sequence[Tensor], buffers: Sequence[Tensor], batch: Batch, mode: Mode) -> Tensor:
        named = dict(zip(self.names, weights, strict=True))
        held = dict(zip(self.buffer_names, buffers, strict=True))
        return self._hidden(named, held, batch, mode)

    def _hidden(self, named: Named, held: Named, batch: Batch, mode: Mode) -> Tensor:
        """What stands before the output layer, [K, B * answers, units], answers of one row beside each other."""
        k = self.settings.answers

        def apart_of(x: Tensor) -> Tensor:
            return x.reshape(x.shape[0], -1, k, x.shape[2])

        def linear(x: Tensor, name: str) -> Tensor:
            """[K, B * answers, units], answers of one row beside each other."""
            apart = apart_of(x) * named[f"{name}.input_scale"][:, None]
            product = torch.bmm(apart.flatten(1, 2), named[f"{name}.weight"])
            scaled = apart_of(product) * named[f"{name}.output_scale"][:, None] + named[f"{name}.bias"][:, None]
            return scaled.flatten(1, 2)

        x = member_inputs(self.settings, self.dropped, batch, named, held, mode).repeat_interleave(k, dim=1)
        for i in range(self.settings.depth):
            x = hidden_layer(self.settings, self.dropped, i, x, linear, named, held, mode)
        return x
