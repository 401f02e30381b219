"""What the stages of a population are built on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from liebig.core.task import Task
from liebig.data.module.users import Users
from liebig.techniques.stage import Ground
from liebig.train.plan import Plan, network_of


def ground_of(plan: Plan, task: Task[Any], device: torch.device) -> Ground:
    """What stages are built on. Class shares are those of the whole work part, so that they do not depend on the stack."""
    specs = network_of(plan.recipe).parameters(plan.signature, task.outputs)
    shares: tuple[float, ...] = ()
    own = task.data.own if isinstance(task.data, Users) else None
    if own is not None and own.places is not None:
        shares = own.places.shares
    if task.kind.is_classification:
        counts = np.bincount(task.target[task.parts.work].astype(np.int64), minlength=len(task.classes))
        shares = tuple(float(share) for share in counts / counts.sum())
    rows = len(plan.members[0].course.rows)
    return Ground(
        specs,
        task.outputs,
        task.kind.is_classification,
        rows,
        plan.steps_per_epoch,
        plan.epochs,
        shares,
        device,
        own,
        plan.signature.columns,
    )
