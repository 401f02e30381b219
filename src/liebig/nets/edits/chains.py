"""Which layers feed which: what changing a layer's width, or taking it out, touches."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn
from torch.nn.modules.conv import _ConvNd

from liebig.core.evidence import Organ
from liebig.nets.foreign.activations import kind_of_function
from liebig.nets.foreign.anatomy import is_hidden_layer, passes_on, users_until_layers
from liebig.nets.foreign.patient import Patient
from liebig.nets.foreign.tape import Call


@dataclass(frozen=True, slots=True)
class Onward:
    """What reads a layer's answer: the layers that it feeds, and what stands between. `blocked` says why the answer's width
    cannot be changed ("" where it can)."""

    layers: tuple[Organ, ...]
    between: tuple[Organ, ...]
    functions: tuple[str, ...]
    blocked: str = ""


def onward(patient: Patient, name: str) -> Onward:
    """What reads the answer of the layer `name`."""
    organs = {each.name: each for each in patient.organs if each.name}
    number = next(call.number for call in patient.tape.calls if call.path == name and is_hidden_layer(call))
    layers: list[Organ] = []
    between: list[Organ] = []
    functions: list[str] = []
    blocked = "its answer is the network's" if number in patient.tape.ends else ""

    def on(call: Call) -> bool:
        return passes_on(call) or bool(kind_of_function(call.function))

    for call in users_until_layers(patient.tape, number, on):
        organ = organs.get(call.path)
        if is_hidden_layer(call):
            if organ is None or not organ.movable or organ.calls != 1:
                blocked = blocked or f"what it feeds ({call.path or call.function}) cannot be exchanged"
            else:
                layers.append(organ)
        elif on(call):
            if organ is not None and organ.name:
                between.append(organ)
            else:
                functions.append(call.function)
            if call.number in patient.tape.ends:
                blocked = blocked or "its answer is a part of the network's"
        else:
            blocked = blocked or f"its answer goes into {call.function}"
    return Onward(tuple(layers), tuple(between), tuple(functions), blocked)


def resized(layer: nn.Module, inputs: int | None, outputs: int | None) -> nn.Module:
    """A fresh layer like `layer` with other widths (None: the same)."""
    if isinstance(layer, nn.Linear):
        return nn.Linear(inputs or layer.in_features, outputs or layer.out_features, layer.bias is not None)
    assert isinstance(layer, _ConvNd)
    return type(layer)(  # type: ignore[call-arg]  # every concrete convolution takes these
        inputs or layer.in_channels, outputs or layer.out_channels, layer.kernel_size, layer.stride, padding=layer.padding,
        dilation=layer.dilation, bias=layer.bias is not None, padding_mode=layer.padding_mode,
    )  # fmt: skip


def written(layer: nn.Module) -> str:
    """A fresh layer like `layer` in plain PyTorch."""
    if isinstance(layer, nn.Linear):
        return f"nn.Linear({layer.in_features}, {layer.out_features}, bias={layer.bias is not None})"
    assert isinstance(layer, _ConvNd)
    return (
        f"nn.{type(layer).__name__}({layer.in_channels}, {layer.out_channels}, {layer.kernel_size!r}, {layer.stride!r}, "
        f"padding={layer.padding!r}, dilation={layer.dilation!r}, bias={layer.bias is not None}, "
        f"padding_mode={layer.padding_mode!r})"
    )
