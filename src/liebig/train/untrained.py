"""A network before it was trained: for what depends on its shape alone."""

from __future__ import annotations

from typing import Any

import torch

from liebig.core.arrays import Rows
from liebig.core.recipe import Recipe
from liebig.core.task import Task
from liebig.techniques.averaging.snapshot_ensemble import SnapshotEnsemble
from liebig.train.encoding import Encoding
from liebig.train.fitted import Fitted
from liebig.train.plan import network_of, replicas


def untrained(task: Task[Any], recipe: Recipe, rows: Rows, encoding: Encoding) -> Fitted:
    """As many networks as `recipe` would answer by, all of zeros, behind an encoder that was fitted on `rows`: what they
    answer means nothing, how long that takes is what it would take."""
    network = network_of(recipe)
    encoder = encoding.fit_encoder(task, recipe.inputs, rows, network.wants)
    snapshots = recipe.technique(SnapshotEnsemble)
    count = replicas(recipe) * (snapshots.cycles if snapshots else 1)
    size = sum(spec.size for spec in network.parameters(encoder.signature, task.outputs))
    buffers = tuple(
        torch.full((count, *spec.shape), spec.start) for spec in network.buffers(encoder.signature, task.outputs)
    )
    return Fitted(recipe, encoder, task.kind, task.classes, torch.zeros(count, size), buffers,
                  1 if task.kind.is_classification else task.outputs)  # fmt: skip
