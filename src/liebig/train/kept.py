"""What is kept of a member: its diary while it trains, weights, what it answers, and all of it when it has left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from liebig.core.arrays import Predictions
from liebig.core.evidence import Evidence
from liebig.core.run import Outcome
from liebig.train.evaluation import Judged
from liebig.train.plan import Member


@dataclass(slots=True)
class Diary:
    """What is written down of one member while it trains."""

    member: Member
    schedule_state: Any
    stopping_state: Any
    lowered: float = 1.0
    selected: int = -1
    train_loss: list[float] = field(default_factory=list)
    stop: list[Judged] = field(default_factory=list)
    train: list[Judged] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    spent: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Weights of one member that are kept: float32 [n] in the order of the specs, buffers each [*shape]."""

    weights: Tensor
    buffers: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Departed:
    """One member when it has left. `sets` are the weights that answer together (one, or several snapshots); empty when
    there are none to use. `predictions` are for its course's select rows, `train` judges the sample of fit rows."""

    member: Member
    outcome: Outcome
    sets: tuple[Kept, ...]
    predictions: Predictions | None
    evidence: Evidence
    selected: int
    seconds: float
    train: Judged


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What a member answers for its select part, and how well it knows its fit rows."""

    predictions: Predictions
    train: Judged


def kept_of(weights: Sequence[Tensor], buffers: Sequence[Tensor], i: int) -> Kept:
    return Kept(torch.cat([each[i].reshape(-1) for each in weights]), tuple(each[i].clone() for each in buffers))
