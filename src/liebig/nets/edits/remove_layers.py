"""Fewer hidden layers.

Does: takes out hidden linear layers or convolutions that keep the shape of what enters, each with the normalisation, dropout
    and activation behind it.
Helps: gradients that vanish or explode on their way; little data.
Misleads: where depth was what the data needed the score falls.
Source: Glorot & Bengio 2010.
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from liebig.nets.edits.edit import Edit, LayerNames
from liebig.nets.foreign.activations import kind_of_function
from liebig.nets.foreign.chains import onward
from liebig.nets.foreign.patient import Patient, Refused


class RemoveLayers(Edit):
    """`layers` names what is taken out."""

    turn = 1

    kind: Literal["remove-layers"] = "remove-layers"
    layers: LayerNames = ()

    def operate(self, patient: Patient) -> None:
        if not self.layers:
            raise Refused("no layer is named")
        for name in self.layers:
            organ = patient.movable(name, "leaving it out")
            if not organ.same_shape or organ.is_last or organ.calls != 1:
                raise Refused(
                    f"{name} changes the shape of what enters it, is the last layer or is used more than once"
                )
            found = onward(patient.tape, patient.organs, name)
            # A rectifier on what a rectifier answered changes nothing; any other would bend twice.
            bends = {kind_of_function(each) for each in found.functions} - {""}
            shared = {each.activation for each in found.between if each.kind == "activation" and each.calls > 1}
            if found.blocked or (bends | shared) - {"relu"}:
                raise Refused(f"{name} cannot be left out: {found.blocked or 'its activation is shared or a function'}")
            for gone in (organ, *(each for each in found.between if each.calls == 1)):
                patient.exchange(gone.name, nn.Identity(), "nn.Identity()")
                patient.taken_out(gone.name)
