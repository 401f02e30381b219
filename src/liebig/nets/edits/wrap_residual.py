"""Residual connections round blocks.

Does: adds what enters a block to what leaves it, for blocks that keep its shape: a module of several layers, or one layer
    together with the activation that follows it in a Sequential.
Helps: deep networks, whose first layers else hear little from the loss.
Misleads: with one or two layers there is little to pass by; sums grow with depth where nothing normalises.
Source: He et al. 2016, arXiv:1603.05027.
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from liebig.nets.edits.edit import Edit, LayerNames
from liebig.nets.foreign.patient import Patient, Refused
from liebig.nets.foreign.residual import WRITTEN, Residual


class WrapResidual(Edit):
    """`blocks` names modules whose answer has the shape of what enters."""

    turn = 3

    kind: Literal["wrap-residual"] = "wrap-residual"
    blocks: LayerNames = ()

    def operate(self, patient: Patient) -> None:
        if not self.blocks:
            raise Refused("no block is named")
        patient.help("Residual", WRITTEN)
        for name in self.blocks:
            module = patient.parts.get(name)
            entered, left = patient.tape.shapes.get(name, ((), (0,)))
            if module is None or not name:
                raise Refused(f"the network has no block {name!r}")
            if entered != left:
                raise Refused(f"{name} changes the shape of what enters it from {entered} to {left}")
            if patient.tape.visits.get(name, 0) != 1 or len(patient.paths(module)) != 1:
                raise Refused(f"{name} is used more than once")
            if any(call.within for call in patient.tape.calls if call.path == name):
                raise Refused(f"{name} lies inside a block of torch's own")
            if not self._with_activation(patient, name, module):
                patient.put(module, Residual(module), "Residual({old})")

    def _with_activation(self, patient: Patient, name: str, layer: nn.Module) -> bool:
        """One layer in a Sequential: wrapped together with what follows it up to its activation."""
        path = patient.paths(layer)[0]
        above, _, key = path.rpartition(".")
        parent = patient.network.get_submodule(above)
        if not isinstance(layer, (nn.Linear, nn.modules.conv._ConvNd)) or not isinstance(parent, nn.Sequential):
            return False
        first = list(parent._modules).index(key)
        kinds = {id(patient.parts[each.name]): each for each in patient.organs if each.name}
        taken: list[nn.Module] = [layer]
        for module in list(parent)[first + 1 :]:
            organ = kinds.get(id(module))
            if organ is None or not organ.same_shape or organ.calls != 1:
                return False
            taken.append(module)
            if organ.kind == "activation":
                break
        else:
            return False
        wrapped = Residual(nn.Sequential(*taken))
        parent[first] = wrapped
        for place in range(first + 1, first + len(taken)):
            parent[place] = nn.Identity()
        patient.put_in.append(wrapped)
        here = f"network.get_submodule({above!r})" if above else "network"
        inside = ", ".join(f"parent[{place}]" for place in range(first, first + len(taken)))
        patient.say(
            f"parent = {here}",
            f"parent[{first}] = Residual(nn.Sequential({inside}))",
            *(f"parent[{place}] = nn.Identity()" for place in range(first + 1, first + len(taken))),
        )
        return True
