"""Scaled inputs, inside the network.

Does: puts a layer of constants before the network, fitted on training rows: each feature (each channel of pictures) to zero
    mean and unit variance, to 0..1, or to -1..1. The constants are saved with the network.
Helps: always where inputs come in units of their own; whoever uses the network need not know how to scale.
Misleads: inputs that are scaled already gain nothing.
Source: LeCun, Bottou, Orr & Müller 1998, Efficient BackProp, section 4.3.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

import torch
from torch import Tensor, nn

from liebig.nets.edits.edit import Edit
from liebig.nets.foreign.patient import InputStatistics, Patient, Refused
from liebig.nets.foreign.scaled import WRITTEN, InputScale, Scaled
from liebig.nets.foreign.tape import tensors_in


class ScaleInputs(Edit):
    """`scale`: zero mean and unit variance, 0..1, or -1..1."""

    turn = 9

    kind: Literal["scale-inputs"] = "scale-inputs"
    scale: Literal["standardise", "min-max", "symmetric"] = "standardise"

    def operate(self, patient: Patient) -> None:
        first = next(tensors_in(patient.example), None)
        if first is None or not first.is_floating_point() or patient.statistics is None:
            raise Refused("the network's first input holds no real numbers that could be scaled")
        patient.close()
        mean, spread = self._constants(patient.statistics)
        layer = InputScale(mean.to(first), spread.to(first)).to(patient.device)
        patient.help("InputScale", WRITTEN)
        made = f"InputScale({_written(mean)}, {_written(spread)})"
        network = patient.network
        # the network is put inside afterwards, so that it is not found at its new place while being replaced
        if len(patient.example) == 1:
            whole: nn.Module = nn.Sequential(OrderedDict(scale=layer, network=network))
            patient.put(network, whole, f"nn.Sequential(OrderedDict(scale={made}, network={{old}}))")
        else:
            patient.put(network, Scaled(layer, network), f"Scaled({made}, {{old}})")

    def _constants(self, fitted: InputStatistics) -> tuple[Tensor, Tensor]:
        if self.scale == "standardise":
            return fitted.mean, _not_zero(fitted.spread, fitted.mean)
        half = (fitted.high - fitted.low) / 2
        if self.scale == "symmetric":
            return (fitted.high + fitted.low) / 2, _not_zero(half, fitted.mean)
        return fitted.low, _not_zero(2 * half, fitted.mean)


def _not_zero(spread: Tensor, mean: Tensor) -> Tensor:
    """`spread` with 1 where a feature does not vary, rounding of its mean counted."""
    return torch.where(spread > 1e-6 * mean.abs().clamp(min=1e-30), spread, torch.ones_like(spread))


def _written(values: Tensor) -> str:
    numbers = ", ".join(f"{each!r}" for each in values.flatten().tolist())
    text = f"torch.tensor([{numbers}])"
    return text if values.ndim == 1 else f"{text}.reshape({', '.join(str(each) for each in values.shape)})"
