"""Another rate for the network's own dropout.

Does: sets the rate of every dropout that the network has; 0 takes it away.
Helps: less where even the training rows are not learnt; more where they are learnt by heart.
Misleads: all dropouts get one rate, also where the network had several.
Source: Srivastava et al. 2014, JMLR 15.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from liebig.core.settings import STACKABLE
from liebig.nets.edits.edit import Edit
from liebig.nets.foreign.patient import Patient, Refused


class DropoutRate(Edit):
    """`rate` is the share that is dropped."""

    turn = 8

    kind: Literal["dropout-rate"] = "dropout-rate"
    rate: Annotated[float, Field(ge=0, lt=1), STACKABLE] = 0.0

    def operate(self, patient: Patient) -> None:
        own = [each for each in patient.organs if each.kind == "dropout"]
        if not own:
            raise Refused("the network has no dropout")
        if any(not each.name for each in own):
            patient.graph()  # dropout called as a function becomes a module
        set_any = False
        for module in patient.network.modules():
            if isinstance(module, nn.modules.dropout._DropoutNd):
                module.p = self.rate
                set_any = True
        if not set_any:
            raise Refused("the network's dropout is always on and cannot be set")
        patient.say(
            "for module in network.modules():",
            "    if isinstance(module, nn.modules.dropout._DropoutNd):",
            f"        module.p = {self.rate!r}",
        )
