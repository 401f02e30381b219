"""L2 penalty.

Does: adds `strength` times the sum of squared weights to the loss; biases and normalisations are left out.
Helps: keeps weights small, as weight decay does with plain gradient descent.
Misleads: with Adam it is not weight decay: its pull is rescaled as every gradient is. Prefer AdamW's decay.
Source: Hoerl & Kennard 1970; Loshchilov & Hutter 2019 for the difference to decay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.settings import STACKABLE
from liebig.stack.flat import DECAYED
from liebig.stack.tree import scalars
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Ground, Stage, Technique


class L2(Technique):
    """Settings of the L2 penalty."""

    kind: Literal["l2"] = "l2"
    strength: Annotated[float, Field(ge=0, le=1000), STACKABLE] = 1e-4

    def as_script(self, ground: ScriptGround) -> Script:
        weights = "p for name, p in network.named_parameters() if name in penalised"
        return Script(
            begin=(f"penalised = {sorted(ground.weights)!r}",),
            on_loss=(f"loss = loss + {self.strength!r} * sum(p.square().sum() for p in [{weights}])",),
        )

    @classmethod
    def stage(cls, records: Sequence[L2], ground: Ground) -> L2Stage:  # type: ignore[override]  # its own records
        places = tuple(place for place, spec in enumerate(ground.specs) if spec.role in DECAYED)
        return L2Stage(scalars(records, "strength", ground.device), places)


@dataclass(frozen=True, slots=True, eq=False)
class L2Stage(Stage):
    """K penalties; `strength` [K], `places` of the weights in the list."""

    strength: Tensor
    places: tuple[int, ...]

    def on_loss(self, weights: list[Tensor]) -> Tensor | None:
        sums = [weights[place].flatten(1).square().sum(dim=1) for place in self.places]
        return self.strength * torch.stack(sums).sum(dim=0) if sums else None
