"""Another normalisation in place of batch normalisation.

Does: exchanges each batch normalisation for group or layer normalisation of the same width, with fresh scales and shifts.
Helps: batches of a handful of rows, whose statistics are noise; accumulation; sequences.
Misleads: with batches from 32 up batch normalisation is the stronger of the two.
Source: Wu & He 2018, arXiv:1803.08494, figure 1.
"""

from __future__ import annotations

from typing import Final, Literal

from torch import nn

from liebig.nets.edits.edit import Edit
from liebig.nets.foreign.patient import Patient, Refused

_GROUPS: Final = (8, 4, 2)


class SwapNormalisation(Edit):
    """Batch normalisation becomes `new`."""

    turn = 7

    kind: Literal["swap-normalisation"] = "swap-normalisation"
    new: Literal["layer", "group"] = "group"

    def operate(self, patient: Patient) -> None:
        done = 0
        for organ in patient.organs:
            if organ.kind != "batch-norm" or not organ.name:
                continue
            patient.movable(organ.name, "another normalisation")
            units = organ.outputs
            if self.new == "layer" and organ.dimensions == 2:
                module: nn.Module = nn.LayerNorm(units)
                written = f"nn.LayerNorm({units})"
            else:
                few = 1 if self.new == "layer" else next((n for n in _GROUPS if units % n == 0 and units > n), 1)
                module, written = nn.GroupNorm(few, units), f"nn.GroupNorm({few}, {units})"
            patient.exchange(organ.name, module.to(patient.device), written)
            done += 1
        if not done:
            raise Refused("the network has no batch normalisation that it calls as a module")
