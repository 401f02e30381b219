"""Recipes trained on a user's own network, in the blocks in which they are compared."""

from __future__ import annotations

from collections.abc import Sequence

from liebig.core.recipe import Recipe
from liebig.data.module.task import ModuleTask
from liebig.train.modules import MODULES
from liebig.train.options import TrainOptions
from liebig.train.training import Trained, train
from liebig.trials.blocks import blocks


def train_module(
    found: ModuleTask,
    recipes: Sequence[Recipe],
    *,
    count: int = 3,
    seed: int = 0,
    probes: bool = True,
    keep_models: bool = False,
) -> tuple[Trained, ...]:
    """Each recipe in each of the first `count` blocks: result ``i * count + j`` is recipe i in block j."""
    some = blocks(found.task, seed, max(count, 3))[:count]
    options = TrainOptions(probes=probes, keep_models=keep_models)
    return train(found.task, tuple(recipes), tuple(some), options=options, encoding=MODULES)
