"""Weights drawn anew.

Does: draws the weights of linear layers and convolutions by a scheme, with the gain of the activation that follows, and sets
    their biases to zero: He for ReLU and its kin, Xavier before sigmoid and tanh, LeCun before SELU (`suiting` chooses so);
    orthogonal; or the weights as they are, scaled until what enters each activation has unit variance on a first batch.
Helps: networks whose start is zero, constant, too small or too large; deep networks without normalisation.
Misleads: it draws over weights that were loaded on purpose; embeddings, recurrent layers and blocks of torch's own stay.
Source: He et al. 2015, arXiv:1502.01852; Glorot & Bengio 2010; LeCun et al. 1998; Saxe et al. 2014, arXiv:1312.6120;
    Mishkin & Matas 2016, arXiv:1511.06422.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn

from liebig.core.evidence import Organ
from liebig.nets.edits.edit import Edit
from liebig.nets.foreign.patient import Patient, Refused, left_as_it_was
from liebig.stack.gains import gain_of

Scheme = Literal["suiting", "he", "xavier", "lecun", "orthogonal", "variance-calibration"]
_LEAST_VARIANCE: Final = 1e-8
_TRIES: Final = 3

_HELP: Final = '''def calibrate(network, layers, *example):
    """Scale each layer's weights until what leaves it has unit variance on a first batch."""
    kept = {name: buffer.clone() for name, buffer in network.named_buffers()}
    for layer in layers:
        for _ in range(3):
            seen = []
            hook = layer.register_forward_hook(lambda module, entering, leaving: seen.append(leaving))
            with torch.no_grad():
                network.eval()(*example)
                hook.remove()
                variance = seen[-1].float().var(unbiased=False)
                if variance < 1e-8 or abs(variance - 1) <= 0.05:
                    break
                layer.weight.mul_(variance.rsqrt())
    for name, buffer in network.named_buffers():
        buffer.copy_(kept[name])
    network.train()
'''


class Reinitialise(Edit):
    """`scheme` says how."""

    turn = 10

    kind: Literal["reinitialise"] = "reinitialise"
    scheme: Scheme = "suiting"

    def operate(self, patient: Patient) -> None:
        patient.close()
        layers = [each for each in patient.layers() if each.name and each.movable and _plain(patient.parts[each.name])]
        if not layers:
            raise Refused("the network has no linear layer or convolution whose weights are its own and plain")
        if self.scheme == "variance-calibration":
            self._calibrate(patient, layers)
            return
        for organ in layers:
            self._draw(patient, organ)

    def _draw(self, patient: Patient, organ: Organ) -> None:
        layer = patient.parts[organ.name]
        weight, bias = layer.weight, getattr(layer, "bias", None)
        assert isinstance(weight, Tensor)
        fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(weight)
        activation = "" if organ.is_last else patient.activation_of(organ)
        scheme = suiting(activation) if self.scheme == "suiting" else self.scheme
        gain = gain_of(activation)
        seed, path = patient.seed_of(f"{organ.name}.weight"), patient.paths(layer)[0]
        lines = [f"layer = network.get_submodule({path!r})", f"generator = torch.Generator().manual_seed({seed})"]
        drawn = torch.empty(weight.shape)
        generator = torch.Generator().manual_seed(seed)
        if scheme == "orthogonal":
            nn.init.orthogonal_(drawn, gain, generator=generator)
            lines.append(f"nn.init.orthogonal_(layer.weight, {gain!r}, generator=generator)")
        else:
            spread = {
                "he": gain / sqrt(fan_in), "lecun": 1 / sqrt(fan_in), "xavier": gain * sqrt(2 / (fan_in + fan_out)),
            }[scheme]  # fmt: skip
            nn.init.normal_(drawn, 0.0, spread, generator=generator)
            lines.append(f"nn.init.normal_(layer.weight, 0.0, {spread!r}, generator=generator)")
        with torch.no_grad():
            weight.copy_(drawn)
            if isinstance(bias, Tensor):
                bias.zero_()
                lines.append("nn.init.zeros_(layer.bias)")
        patient.say(*lines)

    def _calibrate(self, patient: Patient, layers: Sequence[Organ]) -> None:
        bare = [each for each in layers if not each.is_last and not each.normalised]
        if not bare:
            raise Refused("every hidden layer is normalised, which its weights' scale does not change")
        modules = [patient.parts[each.name] for each in bare if not patient.normalises(each)]
        with left_as_it_was(patient.network):
            patient.network.eval()
            for module in modules:
                _to_unit_variance(patient.network, module, patient.example)
        if not modules:
            return  # another edit normalises them all
        places = ", ".join(f"network.get_submodule({patient.paths(each)[0]!r})" for each in modules)
        patient.help("calibrate", _HELP)
        patient.say(f"calibrate(network, [{places}], *example)")


def suiting(activation: str) -> Literal["he", "xavier", "lecun"]:
    """The scheme that suits the activation behind a layer."""
    if activation in {"sigmoid", "tanh", "hardsigmoid", "hardtanh", "softsign"}:
        return "xavier"
    return "lecun" if activation == "selu" else "he"


def _plain(module: nn.Module) -> bool:
    return not hasattr(module, "parametrizations") and isinstance(getattr(module, "weight", None), nn.Parameter)


@torch.no_grad()
def _to_unit_variance(network: nn.Module, layer: nn.Module, example: Sequence[Any]) -> None:
    for _ in range(_TRIES):
        seen: list[Tensor] = []
        hook = layer.register_forward_hook(lambda module, entering, leaving, seen=seen: seen.append(leaving))
        try:
            network(*example)
        finally:
            hook.remove()
        variance = seen[-1].float().var(unbiased=False)
        if variance < _LEAST_VARIANCE or abs(variance - 1) <= 0.05:
            return
        weight = layer.weight
        assert isinstance(weight, Tensor)
        weight.mul_(variance.rsqrt().to(weight))
