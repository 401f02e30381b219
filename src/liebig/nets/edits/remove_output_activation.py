"""No activation at the end.

Does: takes away the softmax, log-softmax, sigmoid or ReLU that makes the network's answer, so that the loss gets plain numbers.
Helps: a loss that has its own softmax or sigmoid (cross-entropy, BCE with logits), whose floor a second one raises;
    answers that a ReLU keeps from being negative.
Misleads: whoever reads the answers as probabilities must apply the softmax there.
Source: Goodfellow, Bengio & Courville 2016, section 6.2.2: the loss undoes the exponential of its own unit only.
"""

from __future__ import annotations

from typing import Final, Literal

from torch import fx, nn

from liebig.nets.edits.edit import Edit
from liebig.nets.edits.swap_activation import name_of
from liebig.nets.foreign.activations import kind_of_function
from liebig.nets.foreign.anatomy import call_at_the_end
from liebig.nets.foreign.patient import Patient, Refused

_HELP: Final = '''def drop_last(graph, name):
    """Take the last call of `name` (a function, a method or a module) out of a graph."""
    found = [n for n in graph.graph.nodes if (n.target if isinstance(n.target, str) else getattr(n.target, "__name__", "")) == name]
    node = found[-1]
    node.replace_all_uses_with((node.args or tuple(node.kwargs.values()))[0])
    graph.graph.erase_node(node)
    graph.recompile()
'''


class RemoveOutputActivation(Edit):
    """Takes the activation at the end away."""

    turn = 4

    kind: Literal["remove-output-activation"] = "remove-output-activation"

    def operate(self, patient: Patient) -> None:
        call = call_at_the_end(patient.tape)
        if call is None:
            raise Refused("the network's answer is not made by an activation")
        organ = next((each for each in patient.organs if each.name == call.path and each.kind == "activation"), None)
        if organ is not None and organ.name and organ.calls == 1:
            patient.exchange(organ.name, nn.Identity(), "nn.Identity()")
            return
        graph = patient.graph()
        node = self._node(graph, call.function, call.path)
        if node is None:
            raise Refused(f"the {call.function} at the end does not stand in the graph by itself")
        name = name_of(node)
        entering = (node.args or tuple(node.kwargs.values()))[0]
        assert isinstance(entering, fx.Node)
        node.replace_all_uses_with(entering)
        graph.graph.erase_node(node)
        graph.recompile()
        patient.help("drop_last", _HELP)
        patient.say(f"drop_last(network, {name!r})")

    def _node(self, graph: fx.GraphModule, function: str, path: str) -> fx.Node | None:
        kind = kind_of_function(function)
        matching = [
            node
            for node in graph.graph.nodes
            if kind_of_function(name_of(node)) == kind or (node.op == "call_module" and node.target == path)
        ]
        return matching[-1] if matching else None
