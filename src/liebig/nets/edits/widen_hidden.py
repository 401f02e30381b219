"""Other widths.

Does: multiplies the units or channels of every hidden layer whose answer only goes into further layers; those layers, and
    normalisations between, are made anew to fit.
Helps: networks too small for their data; below 1, too large.
Misleads: the layers that change start from torch's own draw; twice the width costs up to four times as much.
Source: Zagoruyko & Komodakis 2016, arXiv:1605.07146.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from liebig.core.evidence import Organ
from liebig.nets.edits.edit import Edit
from liebig.nets.foreign.chains import entering, norm_like, onward, resized, why_not_resized, written
from liebig.nets.foreign.patient import Patient, Refused


class WidenHidden(Edit):
    """`factor` of the hidden layers' widths."""

    turn = 0

    kind: Literal["widen-hidden"] = "widen-hidden"
    factor: float = Field(2.0, gt=0.0, le=64.0)

    def operate(self, patient: Patient) -> None:
        inputs: dict[str, int] = {}
        outputs: dict[str, int] = {}
        why = ""
        for organ in patient.layers():
            if organ.is_last or not organ.name:
                continue
            units = max(1, round(organ.outputs * self.factor))
            found = onward(patient.tape, patient.organs, organ.name)
            reason = why_not_resized(patient.parts, organ, found, units)
            why = why or reason
            if reason or units == organ.outputs:
                continue
            outputs[organ.name] = units
            for layer in found.layers:
                inputs[layer.name] = entering(patient.parts[layer.name]) // organ.outputs * units
            for between in found.between:
                self._norm(patient, between, units)
        if not outputs:
            raise Refused(f"no hidden layer can have another width: {why or 'there is none'}")
        for name in dict.fromkeys([*inputs, *outputs]):
            new = patient.made(
                f"{name}.wider",
                lambda name=name: resized(patient.parts[name], inputs.get(name), outputs.get(name)),  # type: ignore[misc]
            )
            patient.say(f"torch.manual_seed({patient.seed_of(f'{name}.wider')})")
            patient.exchange(name, new, written(new))
            patient.resized(name, inputs.get(name), outputs.get(name))

    def _norm(self, patient: Patient, organ: Organ, units: int) -> None:
        if organ.kind.endswith("-norm"):
            made = norm_like(patient.parts[organ.name], units)
            assert made is not None
            patient.exchange(organ.name, made[0].to(patient.device), made[1])
            patient.resized(organ.name, units, units)
