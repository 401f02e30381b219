"""Scaling of sequences.

Does: multiplies each channel of each training sequence by a factor of its own, drawn from a normal distribution around 1 with
    standard deviation `spread`, new for each batch and member.
Helps: where the size of a measurement varies from case to case and says little.
Misleads: where size is what sets classes apart, and for targets that are sizes themselves.
Source: Um et al. 2017, arXiv:1706.00527.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.core.settings import STACKABLE
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.tree import scalars
from liebig.techniques.batches.sequences import needs_steps, of_members, own_sequences
from liebig.techniques.stage import Ground, Stage, Technique

_STREAM: Final = 7411


class SeriesScaling(Technique):
    """Settings of scaling."""

    kind: Literal["series-scaling"] = "series-scaling"
    spread: Annotated[float, Field(gt=0, le=1), STACKABLE] = 0.1

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_steps(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[SeriesScaling], ground: Ground) -> SeriesScalingStage:  # type: ignore[override]  # its own records
        return SeriesScalingStage(scalars(records, "spread", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class SeriesScalingStage(Stage):
    """K scalings; `spread` [K]."""

    spread: Tensor

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        members = len(self.spread)
        own = own_sequences(batch, members).clone()
        drawn = draws.normal((own.shape[1], 1, own.shape[3] - 1), _STREAM)
        own[..., :-1] *= (1.0 + drawn.mul_(self.spread[:, None, None, None])).to(own.dtype)
        return of_members(batch, members, own)
