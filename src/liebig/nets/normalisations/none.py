"""No normalisation.

Does: nothing.
Helps: shallow networks on scaled inputs need none.
Misleads: deep stacks without any depend on initialisation and rate.
Source: none needed.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from liebig.nets.normalisations.normalisation import Named, Normalisation
from liebig.stack.specs import ParameterSpec


class NoNormalisation(Normalisation):
    kind: Literal["none"] = "none"

    def parameters(self, name: str, units: int) -> tuple[ParameterSpec, ...]:
        return ()

    def __call__(self, x: Tensor, name: str, weights: Named, buffers: Named, training: bool) -> Tensor:
        return x
