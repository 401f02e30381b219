"""Random crop of sequences.

Does: leaves up to `share` of each training sequence away, some at its beginning and the rest at its end, new for each sequence,
    batch and member; what stays moves to the front.
Helps: sequences whose class shows anywhere in them, recordings that were cut by hand.
Misleads: where the beginning or the end is the answer; forecasts, whose last steps count most.
Source: Le Guennec, Malinowski & Tavenard 2016; Iwana & Uchida 2021, arXiv:2007.15951 (slicing).
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
from liebig.stack.draws import Draws
from liebig.stack.tree import scalars
from liebig.techniques.batches.sequences import lengths_of, needs_steps, of_members, own_sequences
from liebig.techniques.stage import Ground, Stage, Technique

_STREAM: Final = 7431


class SeriesCrop(Technique):
    """Settings of random crops."""

    kind: Literal["series-crop"] = "series-crop"
    share: Annotated[float, Field(gt=0, le=0.9), STACKABLE] = 0.2

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_steps(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[SeriesCrop], ground: Ground) -> SeriesCropStage:  # type: ignore[override]  # its own records
        return SeriesCropStage(scalars(records, "share", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class SeriesCropStage(Stage):
    """K crops; `share` [K]."""

    share: Tensor

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        members = len(self.share)
        own = own_sequences(batch, members)
        count, steps, channels = own.shape[1:]
        lengths = lengths_of(own)
        drawn = draws.uniform((2, count), _STREAM)
        lost = (drawn[:, 0] * self.share[:, None] * lengths).floor()
        begin = (drawn[:, 1] * (lost + 1)).floor()
        here = torch.arange(steps, device=own.device)
        places = (here + begin.long()[..., None]).clamp(max=steps - 1)
        found = own.gather(2, places[..., None].expand(-1, -1, -1, channels))
        there = (here < (lengths - lost)[..., None]).to(own.dtype)[..., None]
        return of_members(batch, members, torch.cat([found[..., :-1] * there, there], dim=-1))
