"""Layer normalisation.

Does: standardises every example over the layer's units, then scales and shifts each unit by learnt values.
Helps: depth, without depending on the batch.
Misleads: what all units of an example share (its size) is lost.
Source: Ba, Kiros & Hinton 2016, arXiv:1607.06450, equation 4.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional

from liebig.nets.normalisations.normalisation import Named, Normalisation, scaled


class LayerNorm(Normalisation):
    kind: Literal["layer"] = "layer"
    epsilon: float = Field(1e-5, gt=0.0, le=1.0)

    def __call__(self, x: Tensor, name: str, weights: Named, buffers: Named, training: bool) -> Tensor:
        return scaled(functional.layer_norm(x, x.shape[-1:], eps=self.epsilon), name, weights)
