"""Time warp.

Does: runs each training sequence now faster, now slower: its steps are read at places that a smooth wave shifts, by up to
    `strength` of its length, new for each sequence, batch and member. First and last step stay, and so does the length.
Helps: gestures, speech, machines that do the same at another pace.
Misleads: where the pace is the answer, and for series with a clock (hours of a day).
Source: Um et al. 2017, arXiv:1706.00527.
"""

from __future__ import annotations

import math
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
from liebig.techniques.batches.sequences import lengths_of, needs_steps, of_members, own_sequences, read_at
from liebig.techniques.stage import Ground, Stage, Technique

_STREAM: Final = 7421
#: Half waves along a sequence. A place never runs back: the sum of slopes stays below 1 for strengths up to the bound.
_WAVES: Final = (1, 2, 3)


class SeriesWarp(Technique):
    """Settings of time warp."""

    kind: Literal["series-warp"] = "series-warp"
    strength: Annotated[float, Field(gt=0, le=0.15), STACKABLE] = 0.05

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_steps(self, recipe)

    @classmethod
    def stage(cls, records: Sequence[SeriesWarp], ground: Ground) -> SeriesWarpStage:  # type: ignore[override]  # its own records
        return SeriesWarpStage(scalars(records, "strength", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class SeriesWarpStage(Stage):
    """K warps; `strength` [K]."""

    strength: Tensor

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        members = len(self.strength)
        own = own_sequences(batch, members)
        count, steps = own.shape[1:3]
        last = (lengths_of(own) - 1).clamp(min=1.0)[..., None]  # [K, B, 1]
        here = torch.arange(steps, device=own.device, dtype=torch.float32).expand(members, count, steps)
        along = (here / last).clamp(max=1.0)
        drawn = draws.uniform((len(_WAVES), count), _STREAM) * 2 - 1
        shift = torch.zeros_like(along)
        for number, wave in enumerate(_WAVES):
            shift += drawn[:, number, :, None] / (wave * len(_WAVES)) * torch.sin(math.pi * wave * along)
        places = ((along + self.strength[:, None, None] * shift).clamp(0, 1) * last).clamp(max=steps - 1)
        there = own[..., -1:]
        found = read_at(own, torch.where(there[..., 0] > 0, places, here))
        return of_members(batch, members, torch.cat([found[..., :-1], there], dim=-1))
