"""Another activation.

Does: exchanges the activation of one kind between the layers for another, whether the network holds it as a module or calls
    it as a function; what makes the answer, and what gates other values, stays.
Helps: units that die or saturate, gradients that vanish through sigmoids.
Misleads: the weights were drawn for the old one: initialise anew beside it.
Source: Hendrycks & Gimpel 2016, arXiv:1606.08415 (GELU); Maas et al. 2013 (leaky ReLU).
"""

from __future__ import annotations

from typing import Final, Literal

from torch import fx

from liebig.nets.edits.edit import Edit
from liebig.nets.foreign.activations import MODULES, WRITTEN, kind_of_function
from liebig.nets.foreign.patient import Patient, Refused

ActivationKind = Literal["relu", "leaky-relu", "elu", "selu", "gelu", "silu", "sigmoid", "tanh"]

_HELP: Final = '''def swap_functions(graph, old, places, make):
    """Put a module in place of the calls of functions named `old`, those at `places` among them."""
    found = [n for n in graph.graph.nodes if n.op != "call_module" and name_of(n).rstrip("_") == old]
    for number, place in enumerate(places):
        node = found[place]
        graph.add_module(f"{old}_{number}", make())
        with graph.graph.inserting_before(node):
            node.replace_all_uses_with(graph.graph.call_module(f"{old}_{number}", (node.args or tuple(node.kwargs.values()))[:1]))
        graph.graph.erase_node(node)
    graph.recompile()


def name_of(node):
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
'''


class SwapActivation(Edit):
    """The activations of kind `old` ("relu", "sigmoid", "exp", ...) between the layers become `new`."""

    turn = 5

    kind: Literal["swap-activation"] = "swap-activation"
    old: str = "relu"
    new: ActivationKind = "gelu"

    def operate(self, patient: Patient) -> None:
        if self.old == self.new:
            raise Refused(f"the activation is {self.new} already")
        ours = [each for each in patient.organs if each.kind == "activation" and each.activation == self.old]
        hidden = [each for each in ours if not each.is_last and each.movable]
        if not hidden:
            raise Refused(f"the network has no {self.old} between its layers that can be exchanged")
        for organ in hidden:
            if organ.name:
                patient.exchange(organ.name, MODULES[self.new]().to(patient.device), WRITTEN[self.new])
        patient.bends_anew(self.old, self.new)
        # What the network calls itself: by its place among the calls of this function.
        called = [each for each in ours if not each.name]
        places = [place for place, each in enumerate(called) if each in hidden]
        if places:
            self._in_graph(patient, places, len(called))

    def _in_graph(self, patient: Patient, places: list[int], called: int) -> None:
        graph = patient.graph()
        found = [
            node
            for node in graph.graph.nodes
            if node.op != "call_module" and kind_of_function(name_of(node)) == self.old
        ]
        if len(found) != called:
            raise Refused(f"{self.old} is called {called} times, and {len(found)} of the calls stand in the graph")
        function = self.old.replace("-", "_")
        for number, place in enumerate(places):
            node = found[place]
            graph.add_module(f"{function}_{number}", MODULES[self.new]())
            with graph.graph.inserting_before(node):
                entering = (node.args or tuple(node.kwargs.values()))[:1]
                node.replace_all_uses_with(graph.graph.call_module(f"{function}_{number}", entering))
            graph.graph.erase_node(node)
        graph.recompile()
        patient.help("swap_functions", _HELP)
        patient.say(
            f"swap_functions(network, {function!r}, {places!r}, lambda: {WRITTEN[self.new]})",
        )


def name_of(node: fx.Node) -> str:
    """Torch's name of what a node calls."""
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
