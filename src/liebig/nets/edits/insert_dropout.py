"""Dropout before layers.

Does: while training drops a share of what enters the layers named, and multiplies the rest so that its mean stays; whole
    channels before convolutions.
Helps: networks that learn their rows by heart.
Misleads: beside batch normalisation it often gives nothing; where longer training pays it loses.
Source: Srivastava et al. 2014, JMLR 15; Tompson et al. 2015, arXiv:1411.4280, for channels.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field
from torch import nn

from liebig.core.settings import STACKABLE
from liebig.nets.edits.edit import Edit, LayerNames
from liebig.nets.foreign.patient import Patient, Refused

_CHANNELS: Final = {3: nn.Dropout1d, 4: nn.Dropout2d, 5: nn.Dropout3d}


class InsertDropout(Edit):
    """`before` names the layers, `rate` is the share that is dropped."""

    turn = 8

    kind: Literal["insert-dropout"] = "insert-dropout"
    before: LayerNames = ()
    rate: Annotated[float, Field(gt=0, lt=1), STACKABLE] = 0.1

    def operate(self, patient: Patient) -> None:
        if not self.before:
            raise Refused("no layer is named before which to drop")
        for name in patient.still(self.before):
            organ = patient.movable(name, "dropout before it")
            made = nn.Dropout if organ.kind == "linear" else _CHANNELS.get(organ.dimensions)
            if made is None:
                raise Refused(f"{name} is neither a linear layer nor a convolution")
            patient.beside(name, "dropout", made(self.rate), f"nn.{made.__name__}({self.rate!r})")
