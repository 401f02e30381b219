"""What K networks answer on rows that they are not trained on, and how good that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from liebig.core.arrays import Predictions, Rows
from liebig.core.task import Task
from liebig.nets.network import Forward, Mode
from liebig.stack.batch import Batch
from liebig.techniques.stage import ObjectiveStage
from liebig.train.encoding import Feed
from liebig.train.plan import Member

#: Numbers that one chunk's widest layer may hold, over all members.
_CHUNK: Final = 1 << 21
_LEAST_ROWS, _MOST_ROWS = 16, 8192


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """K networks to be evaluated, and the feed's block that each reads."""

    forward: Forward
    objective: ObjectiveStage
    weights: Sequence[Tensor]
    buffers: Sequence[Tensor]
    group: Tensor
    widest: int

    def __len__(self) -> int:
        return len(self.group)


@dataclass(frozen=True, slots=True)
class Judged:
    """One member on one set of rows: mean loss, its standard error, the metric as the user reads it."""

    loss: float
    error: float
    metric: float


NOT_JUDGED: Final = Judged(math.nan, math.nan, math.nan)


def padded(rows: Sequence[Rows], device: torch.device) -> Tensor:
    """Row numbers of G blocks as one tensor [G, longest]; shorter ones repeat their last row."""
    longest = max(len(each) for each in rows)
    out = np.stack([np.pad(each, (0, longest - len(each)), mode="edge") for each in rows])
    return torch.from_numpy(out).to(device)


def in_precision(batch: Batch, dtype: torch.dtype) -> Batch:
    """`batch` with its inputs in another precision."""
    if batch.dense.dtype == dtype or not batch.dense.is_floating_point():
        return batch
    numbers = None if batch.numbers is None else batch.numbers.to(dtype)
    return replace(batch, dense=batch.dense.to(dtype), numbers=numbers)


@torch.no_grad()
def answers(networks: Networks, feed: Feed, rows: Tensor, *, final: bool = False) -> tuple[Tensor, Tensor]:
    """Predictions [K, n, ...] and the plain loss of each row [K, n], for `rows` [G, n]; on the processor.
    `final` marks what is handed over, which may cost more than what only draws a curve."""
    dtype = networks.weights[0].dtype
    size = max(_LEAST_ROWS, min(_MOST_ROWS, _CHUNK // max(1, len(networks) * networks.widest)))
    predicted, lost = [], []
    one = bool((networks.group == torch.arange(len(networks), device=networks.group.device)).all())
    for start in range(0, rows.shape[1], size):
        batch = in_precision(feed.judging(rows[:, start : start + size]), dtype)
        if not one or batch.target.shape[0] != len(networks):
            batch = replace(batch, member_group=networks.group)
        outputs = networks.forward(networks.weights, networks.buffers, batch, Mode(False, final=final)).float()
        target = batch.target if batch.member_group is None else batch.target[batch.member_group]
        predicted.append(networks.objective.answered(outputs, target).float().cpu())
        lost.append(networks.objective.judged(outputs, target).float().cpu())
    return torch.cat(predicted, 1), torch.cat(lost, 1)


def in_unit(member: Member, predicted: Tensor, rows: int) -> Predictions:
    """One member's first `rows` predictions as metrics take them, in the target's own unit."""
    own: NDArray[np.float32] = predicted[:rows].numpy()
    return member.course.encoder.target_from_model(own)


def judged(task: Task[Any], member: Member, predicted: Tensor, lost: Tensor, rows: Rows) -> Judged:
    """One member on its own rows."""
    n = len(rows)
    if n == 0:
        return NOT_JUDGED
    losses = lost[:n].double().numpy()
    weights = None if task.weights is None else task.weights[rows]
    loss = float(np.average(losses, weights=weights))
    known = n > 1 and bool(np.isfinite(losses).all())
    error = float(losses.std(ddof=1) / math.sqrt(n)) if known else math.nan
    predictions = in_unit(member, predicted, n)
    if not np.isfinite(predictions).all():
        return Judged(loss, error, math.nan)
    return Judged(loss, error, task.metric.score(task.target[rows], predictions, weights))
