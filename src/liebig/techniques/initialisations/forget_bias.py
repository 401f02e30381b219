"""Forget gates that begin open.

Does: sets the bias of the forget gates of an `lstm` to `bias` before the first step.
Helps: what was seen is kept until there is reason to forget it, so that gradients reach back over many steps from the start.
Misleads: sequences of a handful of steps, where nothing need be kept.
Source: Gers, Schmidhuber & Cummins 2000; Jozefowicz, Zaremba & Sutskever 2015, section 2.2 (bias 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.core.settings import STACKABLE
from liebig.stack.batch import Batch
from liebig.stack.specs import Role
from liebig.stack.tree import scalars
from liebig.techniques.stage import Ground, Stage, Technique, Trial

_GATES = 4
_FORGETS = 1  # of (enter, forget, value, leave)


class ForgetBias(Technique):
    """`bias` of the forget gates."""

    kind: Literal["forget-bias"] = "forget-bias"
    bias: Annotated[float, Field(ge=-10, le=10), STACKABLE] = 1.0

    def conflicts(self, recipe: Recipe) -> str | None:
        if recipe.network.kind != "lstm":
            return f"technique {self.kind} needs network lstm, however the network is {recipe.network.kind}"
        return None

    @classmethod
    def stage(cls, records: Sequence[ForgetBias], ground: Ground) -> ForgetBiasStage:  # type: ignore[override]  # its own records
        places = tuple(i for i, spec in enumerate(ground.specs) if spec.gates == _GATES and spec.role is Role.BIAS)
        return ForgetBiasStage(places, scalars(records, "bias", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class ForgetBiasStage(Stage):
    """K biases; `places` in the list of weights, `bias` [K]."""

    places: tuple[int, ...]
    bias: Tensor

    def prepare(self, weights: list[Tensor], seeds: Sequence[int], batch: Batch, forward: Trial) -> list[Tensor]:
        changed = list(weights)
        for place in self.places:
            own = weights[place].clone()
            units = own.shape[1] // _GATES
            own[:, _FORGETS * units : (_FORGETS + 1) * units] = self.bias[:, None]
            changed[place] = own
        return changed
