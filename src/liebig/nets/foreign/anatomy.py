"""What a user's own network consists of, read from one pass on a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any, Final

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from liebig.core.errors import UserError
from liebig.core.evidence import Anatomy, LayerShape, Organ, Structure
from liebig.nets.foreign.activations import AT_THE_END, kind_of_function
from liebig.nets.foreign.calls import (
    CONVOLUTION,
    DROPPING,
    JOINING,
    LINEAR,
    NORMALISING,
    PASSING,
    RESHAPING,
    is_hidden_layer,
    passes_on,
    users_until_layers,
)
from liebig.nets.foreign.chains import onward, why_not_resized
from liebig.nets.foreign.graph import why_untraceable
from liebig.nets.foreign.tape import Call, Tape, is_block_of_torch, record, tensors_in

_RECURRENT: Final = (nn.RNNBase, nn.RNNCellBase)


def names_in(network: nn.Module) -> dict[nn.Module, str]:
    """Each module's dotted name; a module that stands at several places has the first."""
    return {module: name for name, module in network.named_modules()}


def anatomy_of(network: nn.Module, example: Sequence[Any]) -> Anatomy:
    """The parts of `network` from one pass on `example`, the tuple of its positional inputs; the network's mode is put back.

    Raises UserError with the network's own complaint when it does not run.
    """
    tape = written_down(network, example)
    modules = {name: module for module, name in names_in(network).items()}
    organs = tuple(
        replace(each, resizable=_is_resizable(each, organs, tape, modules))
        for organs in [organs_in(network, tape)]
        for each in organs
    )
    first = next(tensors_in(example), None)
    return Anatomy(
        organs,
        tuple(first.shape[1:]) if first is not None else (),
        first is not None and first.is_floating_point(),
        ends_in(tape),
        tuple(_blocks(tape, modules)),
        why_untraceable(network, example),
    )


def _is_resizable(organ: Organ, organs: Sequence[Organ], tape: Tape, modules: dict[str, nn.Module]) -> bool:
    if organ.kind not in {"linear", "convolution"} or organ.is_last or not organ.name:
        return False
    return not why_not_resized(modules, organ, onward(tape, organs, organ.name), 2 * organ.outputs)


def written_down(network: nn.Module, example: Sequence[Any]) -> Tape:
    """One pass in training mode with dropout and statistics left as they were. Raises UserError."""
    training = {module: module.training for module in network.modules()}
    buffers = [buffer.clone() for buffer in network.buffers()]
    network.eval()
    try:
        with torch.random.fork_rng(devices=_cuda_devices(network)):
            return record(network, example, names_in(network))
    except Exception as error:  # whatever the user's code raises is told in its own words
        raise UserError(f"the network does not run on its first batch: {type(error).__name__}: {error}") from error
    finally:
        for module, mode in training.items():
            module.training = mode
        with torch.no_grad():
            for buffer, before in zip(network.buffers(), buffers, strict=True):
                buffer.copy_(before)


def structure_of(network: nn.Module, example: Sequence[Any], family: str = "user-module") -> Structure:
    """The network's card from one pass on `example`: layers and normalisations with their parameters and their FLOPs for one
    example. Raises UserError when the network does not run."""
    tape = written_down(network, example)
    modules = {name: module for module, name in names_in(network).items()}
    organs = {each.name: each for each in organs_in(network, tape) if each.name}
    shapes: list[LayerShape] = []
    for name, organ in organs.items():
        own = list(modules[name].parameters(recurse=organ.kind in {"recurrent", "attention"}))
        count = sum(each.numel() for each in own)
        if not count:
            continue
        trained = sum(each.numel() for each in own if each.requires_grad)
        left = tape.shapes.get(name, ((1,), (1,)))[1]
        flops = _flops(organ.kind, modules[name], left, count) * organ.calls
        shapes.append(
            LayerShape(name, _kind_in_structure(organ), organ.inputs, organ.outputs, count, trained, flops,
                       _seen_activation(organ, tape))
        )  # fmt: skip
    return Structure(family, tuple(shapes))


def _kind_in_structure(organ: Organ) -> str:
    if organ.kind == "convolution":
        return "conv"
    if organ.kind == "batch-norm":
        return "batch-norm-2d" if organ.dimensions > 2 else "batch-norm"
    return "layer-norm" if organ.kind == "other-norm" else organ.kind


def _seen_activation(organ: Organ, tape: Tape) -> str:
    """The activation behind a layer; "" only where it was seen that nothing bends before the next layer."""
    if organ.kind not in {"linear", "convolution"} or organ.activation or organ.is_last:
        return organ.activation
    number = next(call.number for call in tape.calls if call.path == organ.name and is_hidden_layer(call))
    onward = users_until_layers(tape, number, passes_on)
    return "" if all(passes_on(call) or (is_hidden_layer(call) and not call.within) for call in onward) else "unknown"


def ends_in(tape: Tape) -> str:
    """The kind of the activation that makes the answer, "" for none, or where the network answers with several tensors."""
    call = call_at_the_end(tape)
    return kind_of_function(call.function) if call is not None else ""


def call_at_the_end(tape: Tape) -> Call | None:
    """The activation that makes the answer, behind which values are only put into another shape."""
    number = tape.ends[0] if len(tape.ends) == 1 else -1
    while number >= 0:
        call = tape.calls[number]
        kind = kind_of_function(call.function)
        if kind:
            return call if kind in AT_THE_END else None
        if call.function not in RESHAPING or len(call.sources) != 1:
            return None
        number = call.sources[0]
    return None


def organs_in(network: nn.Module, tape: Tape) -> tuple[Organ, ...]:
    """The parts that one pass met, in its order; a module that ran several times stands once."""
    return tuple(_organs(network, tape, {name: module for module, name in names_in(network).items()}))


def _organs(network: nn.Module, tape: Tape, modules: dict[str, nn.Module]) -> Iterator[Organ]:
    often: dict[int, int] = {}
    for _, parameter in network.named_parameters(remove_duplicate=False):
        often[id(parameter)] = often.get(id(parameter), 0) + 1
    done: set[tuple[str, str]] = set()
    for call in tape.calls:
        organ = _organ(call, tape, modules)
        if organ is None or (organ.name and (organ.name, organ.kind) in done):
            continue
        done.add((organ.name, organ.kind))
        tied = organ.name and any(often[id(each)] > 1 for each in modules[organ.name].parameters(recurse=False))
        if tied or call.within:
            organ = replace(organ, movable=False)
        yield organ


def _organ(call: Call, tape: Tape, modules: dict[str, nn.Module]) -> Organ | None:
    module = modules.get(call.path)
    calls = tape.visits.get(call.path, 1) if call.path else 1
    made = partial(Organ, dimensions=len(call.shape), calls=calls, is_last=_is_last(tape, call.number))
    same = bool(call.entered) and call.entered[0] == call.shape
    if call.function in LINEAR or call.function in CONVOLUTION:
        linear = call.function in LINEAR
        own = isinstance(module, nn.Linear if linear else _ConvNd)
        return made(
            call.path if own else "", "linear" if linear else "convolution", call.entered[0][-1 if linear else 1],
            call.shape[-1 if linear else 1], _activation_after(tape, call.number), _normalised_after(tape, call.number),
            movable=own, same_shape=same,
        )  # fmt: skip
    kind = NORMALISING.get(call.function)
    if kind is not None:
        own = module is not None and not list(module.children()) and call.path != ""
        units = call.shape[1] if kind == "batch-norm" and len(call.shape) > 1 else call.shape[-1]
        if kind == "group-norm":
            units = call.shape[1]
        return made(call.path if own else "", kind, units, units, movable=own, same_shape=True)
    if call.function in DROPPING:
        own = isinstance(module, nn.modules.dropout._DropoutNd)
        rate = module.p if own and isinstance(module, nn.modules.dropout._DropoutNd) else _rate_of(call)
        return made(call.path if own else "", "dropout", call.shape[-1], call.shape[-1], rate=rate,
                     same_shape=True)  # fmt: skip
    if isinstance(module, _RECURRENT) and call.function in {
        type(module).__name__,
        "lstm",
        "gru",
        "rnn_tanh",
        "rnn_relu",
    }:
        return made(call.path, "recurrent", int(module.input_size), int(module.hidden_size), movable=False)
    if call.function in {"multi_head_attention_forward", "scaled_dot_product_attention", "MultiheadAttention"}:
        return made(call.path, "attention", call.entered[0][-1], call.shape[-1], movable=False)
    if call.function == "embedding":
        own = isinstance(module, nn.Embedding)
        units = call.shape[-1]
        return made(call.path if own else "", "embedding", units, units, movable=own)
    bends = kind_of_function(call.function)
    if not bends:
        return None
    own = module is not None and call.path != "" and _is_activation(module, call, tape)
    gates = any(
        tape.calls[user].function.strip("_") in {"mul", "imul", "rmul"} and len(tape.calls[user].entered) > 1
        for user in tape.users.get(call.number, ())
    )
    units = call.shape[-1] if call.shape else 1
    return made(call.path if own else "", "activation", units, units, bends, movable=not gates, same_shape=same)


def _is_activation(module: nn.Module, call: Call, tape: Tape) -> bool:
    """True when running `module` is nothing but this call: torch's activations, and a user's own without parts."""
    if list(module.children()):
        return False
    if type(module).__module__ == "torch.nn.modules.activation":
        return True
    inside = [each for each in tape.calls if each.path == call.path]
    return not list(module.parameters()) and len({each.function for each in inside}) == 1


def _rate_of(call: Call) -> float:
    rate = call.options.get("p", call.arguments[1] if len(call.arguments) > 1 else 0.5)
    return float(rate) if isinstance(rate, (int, float)) else 0.5


def _activation_after(tape: Tape, number: int) -> str:
    def on(call: Call) -> bool:
        return passes_on(call) or call.function in JOINING

    return next(
        (kind for call in users_until_layers(tape, number, on) if (kind := kind_of_function(call.function))), ""
    )


def _normalised_after(tape: Tape, number: int) -> bool:
    def on(call: Call) -> bool:
        return call.function in PASSING or call.function in DROPPING or bool(kind_of_function(call.function))

    return any(call.function in NORMALISING for call in users_until_layers(tape, number, on))


def _is_last(tape: Tape, number: int) -> bool:
    """True when nothing with weights reads what comes of call `number`."""

    def weighs(call: Call) -> bool:
        return (
            is_hidden_layer(call)
            or call.function in {"matmul", "__matmul__", "bmm", "einsum", "embedding", "bilinear", "baddbmm", "addmm"}
            or call.function in {"lstm", "gru", "rnn_tanh", "rnn_relu", "LSTM", "GRU", "RNN"}
            or "attention" in call.function.lower()
        )

    return not any(weighs(call) for call in users_until_layers(tape, number, lambda call: not weighs(call)))


def _blocks(tape: Tape, modules: dict[str, nn.Module]) -> Iterator[str]:
    """Modules of several layers whose answer has the shape of what enters, run once, which add nothing to it yet."""
    taken: list[str] = []
    for name, (entered, left) in tape.shapes.items():
        module = modules.get(name)
        if not name or module is None or entered != left or tape.visits.get(name) != 1 or is_block_of_torch(module):
            continue
        inside = [each for each in tape.calls if each.path == name or each.path.startswith(f"{name}.")]
        layers = [each for each in inside if is_hidden_layer(each)]
        adds = any(each.function in JOINING for each in inside)
        if len(layers) < 1 or not list(module.children()) or adds or any(each.within for each in inside):
            continue
        taken.append(name)
    return (name for name in taken if not any(name.startswith(f"{other}.") for other in taken))


def _flops(kind: str, module: nn.Module, left: tuple[int, ...], count: int) -> int:
    if isinstance(module, nn.Linear):
        return 2 * module.weight.numel() * prod(left[1:-1])
    if isinstance(module, _ConvNd):
        return 2 * module.weight.numel() * prod(left[2:])
    if kind in {"recurrent", "attention"}:
        return 2 * count * (left[1] if len(left) > 2 else 1)
    return 4 * prod(left[1:]) if kind.endswith("-norm") else 0


def _cuda_devices(network: nn.Module) -> list[int]:
    return sorted({each.device.index or 0 for each in network.parameters() if each.device.type == "cuda"})
