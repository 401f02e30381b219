"""The same fault as a recipe: the rows as a table, Liebig's own loop instead of the user's.

It is what `liebig.fit` and `diagnose(probe=True)` do, with the loop's own split: trained on the rows that the loop trains on, scored on those that it
validates on. `fit` alone would take its rows for scoring from the sick ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from fault_benchmark.data import Pair
from fault_benchmark.faults import FAULTS
from liebig.api.asking import options_of, task_of
from liebig.api.fitting import recipe_of
from liebig.api.training import changed
from liebig.checks import Diagnosis, diagnose
from liebig.train.probing import probe_run
from liebig.train.training import TrainOptions, train
from liebig.trials.blocks import blocks

#: What `Setup` begins with, on top of the textbook recipe.
_PLAIN: Final = ("network.width=64", "batching.size=32", "compute.threads=1")


def fitted(name: str, seed: int, *, probe: bool = True) -> Diagnosis:
    """What is said of the fault of this name as a recipe, with active probes or from what training shows by itself."""
    fault = FAULTS[name]
    parts = fault.sick.data.parts(seed)
    kind = "regression" if not parts.classes else "binary" if parts.outputs == 2 else "multiclass"
    options = options_of(
        target="target", task=kind, metric=None, columns=None, weights=None, group=None, time=None, test=None, seed=seed
    )
    rows = pd.concat([_frame(parts.train, parts.classes), _frame(parts.valid, parts.classes)], ignore_index=True)
    found = task_of(rows, options, _frame(parts.hold, parts.classes))
    work = np.sort(found.task.parts.work)
    task = replace(found.task, parts=replace(found.task.parts, fixed_select=work[len(parts.train) :]))
    changes = (*_PLAIN, f"stopping.epochs={fault.sick.epochs}", *fault.recipe)
    block = blocks(task, seed)[0]
    (trained,) = train(
        task, [changed(recipe_of("textbook", found), changes)], [block], options=TrainOptions(keep_models=True)
    )
    seen = trained.run.evidence.having(found.profile)
    if probe:
        seen = seen.having(*probe_run(task, trained.run.recipe, block, trained.model).evidence)
    return diagnose(seen)


def _frame(pair: Pair, classes: bool) -> pd.DataFrame:
    frame = pd.DataFrame(pair.x.numpy(), columns=[f"x{place}" for place in range(pair.x.shape[1])])
    target = pair.y.reshape(len(pair)).numpy()
    return frame.assign(target=[f"c{label}" for label in target] if classes else target)
