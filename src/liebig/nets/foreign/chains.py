"""Which layers feed which: what changing a layer's width, or taking it out, touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from liebig.core.evidence import Organ
from liebig.nets.foreign.activations import kind_of_function
from liebig.nets.foreign.calls import is_hidden_layer, passes_on, users_until_layers
from liebig.nets.foreign.tape import Call, Tape


@dataclass(frozen=True, slots=True)
class Onward:
    """What reads a layer's answer: the layers that it feeds, and what stands between. `blocked` says why the answer's width
    cannot be changed ("" where it can)."""

    layers: tuple[Organ, ...]
    between: tuple[Organ, ...]
    functions: tuple[str, ...]
    blocked: str = ""


def onward(tape: Tape, organs: Sequence[Organ], name: str) -> Onward:
    """What reads the answer of the layer `name`."""
    named = {each.name: each for each in organs if each.name}
    number = next(call.number for call in tape.calls if call.path == name and is_hidden_layer(call))
    layers: list[Organ] = []
    between: list[Organ] = []
    functions: list[str] = []
    blocked = "its answer is the network's" if number in tape.ends else ""

    def on(call: Call) -> bool:
        return passes_on(call) or bool(kind_of_function(call.function))

    for call in users_until_layers(tape, number, on):
        organ = named.get(call.path)
        if is_hidden_layer(call):
            if organ is None or not organ.movable or organ.calls != 1:
                blocked = blocked or f"what it feeds ({call.path or call.function}) cannot be exchanged"
            else:
                layers.append(organ)
        elif on(call):
            if organ is not None:
                between.append(organ)
            else:
                functions.append(call.function)
            if call.number in tape.ends:
                blocked = blocked or "its answer is a part of the network's"
        else:
            blocked = blocked or f"its answer goes into {call.function}"
    return Onward(tuple(layers), tuple(between), tuple(functions), blocked)


def why_not_resized(parts: Mapping[str, nn.Module], organ: Organ, found: Onward, units: int) -> str:
    """Why the hidden layer `organ` cannot have `units` units, "" where it can."""
    layer = parts[organ.name]
    if not organ.movable or organ.calls != 1:
        return f"{organ.name} is shared or lies in a block of torch's own"
    if found.blocked or not found.layers:
        return f"{organ.name}: {found.blocked or 'nothing reads it'}"
    for each in (layer, *(parts[below.name] for below in found.layers)):
        if getattr(each, "groups", 1) != 1 or hasattr(each, "parametrizations") or getattr(each, "transposed", False):
            return f"{organ.name} or what it feeds is grouped, transposed or parametrised"
    for below in found.layers:
        if entering(parts[below.name]) % organ.outputs:
            return f"{below.name} does not read whole units of {organ.name}"
    for between in found.between:
        if between.kind.endswith("-norm") and norm_like(parts[between.name], units) is None:
            return f"{between.name} cannot have another width"
    return ""


def entering(layer: nn.Module) -> int:
    """What enters a layer: features or channels."""
    if isinstance(layer, nn.Linear):
        return layer.in_features
    assert isinstance(layer, _ConvNd)
    return layer.in_channels


def norm_like(module: nn.Module, units: int) -> tuple[nn.Module, str] | None:
    """A fresh normalisation like `module` of another width, and how it is written; None where there is none."""
    if isinstance(module, _BatchNorm):
        kind, eps, momentum, affine = type(module), module.eps, module.momentum, module.affine
        return kind(units, eps, momentum, affine), f"nn.{kind.__name__}({units}, {eps!r}, {momentum!r}, {affine!r})"
    if isinstance(module, nn.LayerNorm) and len(module.normalized_shape) == 1:
        return nn.LayerNorm(units, module.eps), f"nn.LayerNorm({units}, {module.eps!r})"
    if isinstance(module, nn.GroupNorm) and units % module.num_groups == 0:
        groups, eps = module.num_groups, module.eps
        return nn.GroupNorm(groups, units, eps), f"nn.GroupNorm({groups}, {units}, {eps!r})"
    return None


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
