"""Jitter of sequences.

Does: adds normal noise of standard deviation `spread` to every value of a training batch, new for each batch and member; which
    steps there are stays.
Helps: measurements that are noisy themselves, few sequences.
Misleads: the spread is in units of the scaled values; where what counts is fine, it is drowned.
Source: Um et al. 2017, arXiv:1706.00527; Iwana & Uchida 2021, arXiv:2007.15951.
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

_STREAM: Final = 7401


class SeriesJitter(Technique):
    """Settings of jitter."""

    kind: Literal["series-jitter"] = "series-jitter"
    spread: Annotated[float, Field(gt=0, le=10), STACKABLE] = 0.1

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_steps(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[SeriesJitter], ground: Ground) -> SeriesJitterStage:  # type: ignore[override]  # its own records
        return SeriesJitterStage(scalars(records, "spread", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class SeriesJitterStage(Stage):
    """K jitters; `spread` [K]."""

    spread: Tensor

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        members = len(self.spread)
        own = own_sequences(batch, members).clone()
        count, steps, channels = own.shape[1:]
        noise = draws.normal((count, steps, channels - 1), _STREAM).mul_(self.spread[:, None, None, None])
        own[..., :-1] += noise.to(own.dtype) * own[..., -1:]
        return of_members(batch, members, own)
