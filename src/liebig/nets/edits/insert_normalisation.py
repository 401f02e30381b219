"""Normalisation behind layers.

Does: puts batch, layer or group normalisation behind linear layers and convolutions, before what activates them.
Helps: deep networks, vanishing and exploding gradients, activations that drift; higher rates.
Misleads: batch normalisation needs batches of sixteen rows and more, and takes a sequence's steps for channels.
Source: Ioffe & Szegedy 2015, arXiv:1502.03167; Ba et al. 2016, arXiv:1607.06450; Wu & He 2018, arXiv:1803.08494.
"""

from __future__ import annotations

from typing import Final, Literal

from torch import nn

from liebig.core.evidence import Organ
from liebig.nets.edits.edit import Edit, LayerNames
from liebig.nets.foreign.patient import Patient, Refused

Kind = Literal["batch", "layer", "group"]
_BATCH: Final = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
_GROUPS: Final = (8, 4, 2)


class InsertNormalisation(Edit):
    """`after` names the layers. Layers that a normalisation follows already are left alone."""

    turn = 7

    kind: Literal["insert-normalisation"] = "insert-normalisation"
    after: LayerNames = ()
    normalisation: Kind = "batch"

    def operate(self, patient: Patient) -> None:
        done = 0
        for name in patient.still(self.after):
            organ = patient.movable(name, "a normalisation behind it")
            if organ.normalised:
                continue
            module, written = normalisation_for(organ, self.normalisation)
            patient.beside(name, "normalisation", module, written)
            done += 1
        if not done:
            raise Refused("every layer that was named is normalised already")


def normalisation_for(organ: Organ, kind: Kind) -> tuple[nn.Module, str]:
    """The normalisation for what leaves a layer, and how it is written. Raises Refused."""
    units, channels_second = organ.outputs, organ.kind != "linear"
    if organ.calls > 1 and kind == "batch":
        raise Refused(
            f"{organ.name} is used {organ.calls} times in one pass, whose statistics batch normalisation would mix"
        )
    if kind == "batch":
        if organ.dimensions > 2 and not channels_second:
            raise Refused(
                f"{organ.name} answers for each step of a sequence, whose features are not batch normalisation's"
            )
        made = _BATCH.get(organ.dimensions)
        if made is None:
            raise Refused(
                f"{organ.name} answers in {organ.dimensions} dimensions, for which there is no batch normalisation"
            )
        return made(units), f"nn.{made.__name__}({units})"
    if not channels_second and (kind == "layer" or organ.dimensions > 2):
        return nn.LayerNorm(units), f"nn.LayerNorm({units})"
    # over channels and places together, which is layer normalisation of pictures
    groups = 1 if kind == "layer" else next((each for each in _GROUPS if units % each == 0 and units > each), 1)
    return nn.GroupNorm(groups, units), f"nn.GroupNorm({groups}, {units})"
