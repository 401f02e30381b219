"""Orthogonal steps.

Does: draws the weights by which a recurrent layer reads the step before as orthogonal matrices, one for each gate, times `gain`;
    all other weights stay as they were drawn.
Helps: what passes from step to step neither fades nor grows at the start, so that gradients reach back over many steps.
Misleads: nothing where sequences have a handful of steps.
Source: Saxe et al. 2014, arXiv:1312.6120; Henaff, Szlam & LeCun 2016, arXiv:1602.06662.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.core.settings import STACKABLE
from liebig.stack.batch import Batch
from liebig.stack.draws import member_seed
from liebig.stack.tree import scalars
from liebig.techniques.stage import Ground, Stage, Technique, Trial

_STREAM: Final = 7441
_RECURRENT: Final = frozenset({"rnn", "lstm", "gru"})


class OrthogonalSteps(Technique):
    """`gain` of the matrices."""

    kind: Literal["orthogonal-steps"] = "orthogonal-steps"
    gain: Annotated[float, Field(gt=0, le=2), STACKABLE] = 1.0

    def conflicts(self, recipe: Recipe) -> str | None:
        if recipe.network.kind not in _RECURRENT:
            return f"technique {self.kind} needs a recurrent network, however the network is {recipe.network.kind}"
        return None

    @classmethod
    def stage(cls, records: Sequence[OrthogonalSteps], ground: Ground) -> OrthogonalStepsStage:  # type: ignore[override]  # its own records
        places = tuple(i for i, spec in enumerate(ground.specs) if spec.is_recurrent)
        gates = tuple(ground.specs[i].gates for i in places)
        return OrthogonalStepsStage(places, gates, scalars(records, "gain", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class OrthogonalStepsStage(Stage):
    """K draws; `places` in the list of weights with their `gates`, `gain` [K]."""

    places: tuple[int, ...]
    gates: tuple[int, ...]
    gain: Tensor

    def prepare(self, weights: list[Tensor], seeds: Sequence[int], batch: Batch, forward: Trial) -> list[Tensor]:
        changed = list(weights)
        for place, gates in zip(self.places, self.gates, strict=True):
            own = weights[place].clone()
            units = own.shape[1] // gates
            for k, seed in enumerate(seeds):
                for gate in range(gates):
                    generator = torch.Generator().manual_seed(member_seed(seed, _STREAM, place, gate))
                    square = torch.nn.init.orthogonal_(torch.empty(units, own.shape[2]), generator=generator)
                    own[k, gate * units : (gate + 1) * units] = self.gain[k] * square.to(own.device)
            changed[place] = own
        return changed
