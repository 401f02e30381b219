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
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from liebig.core.evidence import Organ
from liebig.nets.edits.chains import Onward, onward, resized, written
from liebig.nets.edits.edit import Edit
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
            found = onward(patient, organ.name)
            reason = self._why_not(patient, organ, found, units)
            why = why or reason
            if reason or units == organ.outputs:
                continue
            outputs[organ.name] = units
            for layer in found.layers:
                inputs[layer.name] = _entering(patient.parts[layer.name]) // organ.outputs * units
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

    def _why_not(self, patient: Patient, organ: Organ, found: Onward, units: int) -> str:
        layer = patient.parts[organ.name]
        if not organ.movable or organ.calls != 1:
            return f"{organ.name} is shared or lies in a block of torch's own"
        if found.blocked or not found.layers:
            return f"{organ.name}: {found.blocked or 'nothing reads it'}"
        for each in (layer, *(patient.parts[below.name] for below in found.layers)):
            if getattr(each, "groups", 1) != 1 or getattr(each, "parametrizations", None) is not None:
                return f"{organ.name} or what it feeds is grouped or parametrised"
            if "transposed" in dir(each) and getattr(each, "transposed", False):
                return f"{organ.name} or what it feeds is a transposed convolution"
        for below in found.layers:
            if _entering(patient.parts[below.name]) % organ.outputs:
                return f"{below.name} does not read whole units of {organ.name}"
        for between in found.between:
            if between.kind.endswith("-norm") and _norm_like(patient.parts[between.name], units) is None:
                return f"{between.name} cannot be made wider"
        return ""

    def _norm(self, patient: Patient, organ: Organ, units: int) -> None:
        if organ.kind.endswith("-norm"):
            made = _norm_like(patient.parts[organ.name], units)
            assert made is not None
            patient.exchange(organ.name, made[0].to(patient.device), made[1])
            patient.resized(organ.name, units, units)


def _entering(layer: nn.Module) -> int:
    if isinstance(layer, nn.Linear):
        return layer.in_features
    assert isinstance(layer, nn.modules.conv._ConvNd)
    return layer.in_channels


def _norm_like(module: nn.Module, units: int) -> tuple[nn.Module, str] | None:
    if isinstance(module, _BatchNorm):
        kind, eps, momentum, affine = type(module), module.eps, module.momentum, module.affine
        return kind(units, eps, momentum, affine), f"nn.{kind.__name__}({units}, {eps!r}, {momentum!r}, {affine!r})"
    if isinstance(module, nn.LayerNorm) and len(module.normalized_shape) == 1:
        return nn.LayerNorm(units, module.eps), f"nn.LayerNorm({units}, {module.eps!r})"
    if isinstance(module, nn.GroupNorm) and units % module.num_groups == 0:
        return nn.GroupNorm(
            module.num_groups, units, module.eps
        ), f"nn.GroupNorm({module.num_groups}, {units}, {module.eps!r})"
    return None
