"""A network written out as a graph by torch.fx, where that is possible and means the same."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Final

import torch
from torch import fx, nn
from torch.nn import functional

from liebig.nets.foreign.tape import tensors_in

_DROPPING = {
    functional.dropout: nn.Dropout, functional.dropout1d: nn.Dropout1d, functional.dropout2d: nn.Dropout2d,
    functional.dropout3d: nn.Dropout3d, functional.alpha_dropout: nn.AlphaDropout, torch.dropout: nn.Dropout,
}  # fmt: skip


#: The same in a plain script.
WRITTEN: Final = '''def as_graph(network):
    """The network as a graph, whose calls can be exchanged; dropout that it calls as a function becomes a module."""
    if isinstance(network, torch.fx.GraphModule):
        return network
    graph, number = torch.fx.symbolic_trace(network.train()), 0
    kinds = {
        functional.dropout: nn.Dropout, functional.dropout1d: nn.Dropout1d, functional.dropout2d: nn.Dropout2d,
        functional.dropout3d: nn.Dropout3d, functional.alpha_dropout: nn.AlphaDropout, torch.dropout: nn.Dropout,
    }
    for node in list(graph.graph.nodes):
        if node.op != "call_function" or node.target not in kinds:
            continue
        graph.add_module(f"dropout_{number}", kinds[node.target](node.kwargs.get("p", node.args[1] if len(node.args) > 1 else 0.5)))
        with graph.graph.inserting_before(node):
            node.replace_all_uses_with(graph.graph.call_module(f"dropout_{number}", (node.args[0] if node.args else node.kwargs["input"],)))
        graph.graph.erase_node(node)
        number += 1
    graph.recompile()
    return graph
'''


def why_untraceable(network: nn.Module, example: Sequence[Any]) -> str:
    """Why `network` cannot be written out as a graph, in one sentence; "" where it can."""
    try:
        as_graph(deepcopy(network), example)
    except Untraceable as reason:
        return str(reason)
    except Exception as error:  # noqa: BLE001  # a network that cannot be copied cannot be tried either
        return f"the network cannot be copied to try it ({type(error).__name__}: {error})"
    return ""


class Untraceable(Exception):
    """The network cannot be written out as a graph; the message is the reason in one sentence."""


def as_graph(network: nn.Module, example: Sequence[Any]) -> fx.GraphModule:
    """`network` as a graph that holds the same modules under the same names. Dropout that the network calls as a function
    becomes a module, so that it obeys `train()` and `eval()`.

    Raises Untraceable, also where training and evaluation differ in anything but dropout (a graph would have one of the two
    for ever), or where the graph answers otherwise than the network.
    """
    training = {module: module.training for module in network.modules()}
    try:
        trained, evaluated = _traced(network, training=True), _traced(network, training=False)
    finally:
        for module, mode in training.items():
            module.training = mode
    if _text(trained) != _text(evaluated):
        raise Untraceable("its forward pass does other things in training than in evaluation")
    trained.train(network.training)
    _compare(network, trained, example)
    return trained


def _traced(network: nn.Module, training: bool) -> fx.GraphModule:
    network.train(training)
    tracer = fx.Tracer()
    try:
        graph = tracer.trace(network)
        whole = fx.GraphModule(tracer.root, graph, type(network).__name__)
    except Exception as error:  # tracing runs the user's code on stand-ins, which may raise anything
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Untraceable(f"torch.fx cannot trace it ({first[:120]})") from error
    _dropout_as_modules(whole, training)
    whole.recompile()
    return whole


def _dropout_as_modules(whole: fx.GraphModule, training: bool) -> None:
    number = 0
    for node in list(whole.graph.nodes):
        if node.op != "call_function" or node.target not in _DROPPING:
            continue
        rate = node.kwargs.get("p", node.args[1] if len(node.args) > 1 else 0.5)
        flag = node.kwargs.get("training", node.args[2] if len(node.args) > 2 else True)
        if flag is not training or not isinstance(rate, (int, float)):
            continue  # dropout that is always on stays a function
        name = f"dropout_{number}"
        while hasattr(whole, name):
            number += 1
            name = f"dropout_{number}"
        whole.add_module(name, _DROPPING[node.target](float(rate)))
        number += 1
        entering = node.kwargs.get("input", node.args[0] if node.args else None)
        with whole.graph.inserting_before(node):
            node.replace_all_uses_with(whole.graph.call_module(name, (entering,)))
        whole.graph.erase_node(node)


def _text(whole: fx.GraphModule) -> str:
    return str(whole.graph.python_code("self").src)


def _compare(network: nn.Module, whole: fx.GraphModule, example: Sequence[Any]) -> None:
    modes = {module: module.training for module in [*network.modules(), *whole.modules()]}
    try:
        network.eval()
        whole.eval()
        with torch.no_grad():
            wanted, came = list(tensors_in(network(*example))), list(tensors_in(whole(*example)))
    except Exception as error:
        raise Untraceable(f"its graph does not run ({type(error).__name__})") from error
    finally:
        for module, mode in modes.items():
            module.training = mode
    same = len(wanted) == len(came) and all(
        torch.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True) for a, b in zip(wanted, came, strict=True)
    )
    if not same:
        raise Untraceable("its graph answers otherwise than the network")
