"""Multi-layer perceptron.

Does: dense hidden layers, each linear -> normalisation -> activation -> dropout, and a linear output layer.
Helps: tables: with scaled and encoded numbers, two layers of 128 to 256 units are hard to beat.
Misleads: wider and deeper learn and overfit faster; raw inputs and targets decide more than the layers do.
Source: Rumelhart, Hinton & Williams 1986; dropout of Srivastava et al. 2014 (kept units divided by the share kept);
  residual connections of He et al. 2016, arXiv:1512.03385.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from liebig.core.evidence import LayerShape, Structure
from liebig.nets.dense import DenseSettings, Dropping, dropping, hidden_layer, member_inputs
from liebig.nets.fused import can_fuse, fused_layers
from liebig.nets.network import Forward, Mode, NetworkSettings
from liebig.nets.normalisations.normalisation import Named
from liebig.stack.batch import Batch
from liebig.stack.specs import ParameterSpec, Role, Signature


class MLP(DenseSettings):
    """One network."""

    kind: Literal["mlp"] = "mlp"

    def parameters(self, signature: Signature, outputs: int) -> tuple[ParameterSpec, ...]:
        specs, inputs = list(self.input_parameters(signature)), self.inputs_of(signature)
        for i, units in enumerate(self.widths()):
            bends = self.activation.kind
            specs.append(ParameterSpec(f"layers.{i}.weight", (inputs, units), Role.WEIGHT, inputs, units, bends))
            specs.append(ParameterSpec(f"layers.{i}.bias", (units,), Role.BIAS, inputs, units, bends))
            specs.extend(self.normalisation.parameters(f"layers.{i}.norm", units))
            inputs = units
        specs.append(ParameterSpec("output.weight", (inputs, outputs), Role.WEIGHT, inputs, outputs, is_last=True))
        specs.append(ParameterSpec("output.bias", (outputs,), Role.BIAS, inputs, outputs, is_last=True))
        return tuple(specs)

    @classmethod
    def forward(
        cls, records: Sequence[NetworkSettings], signature: Signature, outputs: int, device: torch.device
    ) -> MLPForward:
        nets = [record for record in records if isinstance(record, cls)]
        first = nets[0]
        return MLPForward(
            first, dropping(nets, device), tuple(spec.name for spec in first.parameters(signature, outputs)),
            tuple(spec.name for spec in first.buffers(signature, outputs)),
        )  # fmt: skip

    def structure(self, signature: Signature, outputs: int) -> Structure:
        layers, inputs = list(self.input_shapes(signature)), self.inputs_of(signature)
        for i, units in enumerate(self.widths()):
            count = (inputs + 1) * units
            layers.append(LayerShape(f"layers.{i}", "linear", inputs, units, count, count, 2 * inputs * units,
                                     self.activation.kind))  # fmt: skip
            layers.extend(self.norm_shape(f"layers.{i}.norm", units))
            inputs = units
        count = (inputs + 1) * outputs
        layers.append(LayerShape("output", "linear", inputs, outputs, count, count, 2 * inputs * outputs))
        return Structure(self.kind, tuple(layers))


@dataclass(frozen=True, slots=True, eq=False)
class MLPForward(Forward):
    """K multi-layer perceptrons of one shape."""

    settings: MLP
    dropped: Dropping
    names: tuple[str, ...]
    buffer_names: tuple[str, ...]

    def __call__(self, weights: Sequence[Tensor], buffers: Sequence[Tensor], batch: Batch, mode: Mode) -> Tensor:
        named = dict(zip(self.names, weights, strict=True))
        held = dict(zip(self.buffer_names, buffers, strict=True))

        if can_fuse(self.settings, mode):
            return fused_layers(self.settings, self.dropped, batch, named, held, mode)
        return _linear(named)(self._hidden(named, held, batch, mode), "output")

    def features(self, weights: Sequence[Tensor], buffers: Sequence[Tensor], batch: Batch, mode: Mode) -> Tensor:
        named = dict(zip(self.names, weights, strict=True))
        held = dict(zip(self.buffer_names, buffers, strict=True))
        return self._hidden(named, held, batch, mode)

    def _hidden(self, named: Named, held: Named, batch: Batch, mode: Mode) -> Tensor:
        """What stands before the output layer, [K, B, units]."""
        x = member_inputs(self.settings, self.dropped, batch, named, held, mode)
        for i in range(self.settings.depth):
            x = hidden_layer(self.settings, self.dropped, i, x, _linear(named), named, held, mode)
        return x


def _linear(named: Named) -> Callable[[Tensor, str], Tensor]:
    def linear(x: Tensor, name: str) -> Tensor:
        return torch.baddbmm(named[f"{name}.bias"][:, None], x, named[f"{name}.weight"])

    return linear
