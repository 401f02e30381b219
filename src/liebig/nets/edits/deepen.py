"""More hidden layers.

Does: puts linear layers of the same width, each behind the activation that the network uses there, behind its last hidden
    linear layer.
Helps: functions made of functions, where width alone does not reach.
Misleads: deeper plain networks pass gradients on badly: normalise or connect residually beside it.
Source: Montufar et al. 2014, arXiv:1402.1869.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from torch import nn

from liebig.nets.edits.edit import Edit
from liebig.nets.foreign.activations import MODULES, WRITTEN
from liebig.nets.foreign.patient import Patient, Refused


class Deepen(Edit):
    """`layers` more."""

    turn = 2

    kind: Literal["deepen"] = "deepen"
    layers: int = Field(1, ge=1, le=16)

    def operate(self, patient: Patient) -> None:
        fitting = [
            each
            for each in patient.layers()
            if each.kind == "linear" and not each.is_last and each.movable and each.calls == 1
            and each.activation in MODULES
        ]  # fmt: skip
        if not fitting:
            raise Refused("the network has no hidden linear layer with an activation behind it")
        organ = fitting[-1]
        units, name = organ.outputs, organ.name
        more = patient.made(
            f"{name}.deeper", lambda: nn.ModuleList(nn.Linear(units, units) for _ in range(self.layers))
        )
        assert isinstance(more, nn.ModuleList)
        held: list[tuple[str, nn.Module]] = [("layer", patient.parts[name])]
        written = ["layer={old}"]
        for number, layer in enumerate(more, start=1):
            held += [(f"activation{number}", MODULES[organ.activation]().to(patient.device)), (f"layer{number}", layer)]
            written += [f"activation{number}={WRITTEN[organ.activation]}", f"layer{number}=nn.Linear({units}, {units})"]
        patient.say(f"torch.manual_seed({patient.seed_of(f'{name}.deeper')})")
        sleeve = nn.Sequential()
        patient.put(patient.parts[name], sleeve, f"nn.Sequential(OrderedDict({', '.join(written)}))")
        for key, module in held:
            sleeve.add_module(key, module)
        sleeve.train(patient.network.training)
