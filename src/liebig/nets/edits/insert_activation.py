"""An activation behind layers that have none.

Does: puts an activation behind the linear layers and convolutions named.
Helps: layers with nothing between them, which together are one linear layer.
Misleads: a layer that is linear on purpose (a projection, a bottleneck) is one no more.
Source: Cybenko 1989; Hornik 1991: without a nonlinearity depth adds nothing.
"""

from __future__ import annotations

from typing import Literal

from liebig.nets.edits.edit import Edit, LayerNames
from liebig.nets.edits.swap_activation import ActivationKind
from liebig.nets.foreign.activations import MODULES, WRITTEN
from liebig.nets.foreign.patient import Patient, Refused


class InsertActivation(Edit):
    """`after` names the layers."""

    turn = 6

    kind: Literal["insert-activation"] = "insert-activation"
    after: LayerNames = ()
    activation: ActivationKind = "relu"

    def operate(self, patient: Patient) -> None:
        done = 0
        for name in patient.still(self.after):
            organ = patient.movable(name, "an activation behind it")
            if organ.activation or organ.is_last:
                continue
            patient.beside(name, "activation", MODULES[self.activation](), WRITTEN[self.activation])
            patient.activates(name, self.activation)
            done += 1
        if not done:
            raise Refused("every layer that was named has an activation behind it already")
