"""The same fault as a recipe: the training rows as a table, `liebig.fit` instead of the user's loop."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import pandas as pd

import liebig
from fault_benchmark.data import Pair
from fault_benchmark.faults import FAULTS
from liebig.checks.diagnosis import Diagnosis

#: What `Setup` begins with, on top of the textbook recipe.
_PLAIN: Final = ("network.width=64", "batching.size=32", "compute.threads=1")


def fitted(name: str, seed: int) -> Diagnosis:
    """What is said of the fault of this name as a recipe."""
    fault = FAULTS[name]
    parts = fault.sick.data.parts(seed)
    epochs = f"stopping.epochs={fault.sick.epochs}"
    with tempfile.TemporaryDirectory() as folder:
        run = liebig.fit(
            _frame(parts.train, parts.classes),
            "target",
            recipe="textbook",
            changes=(*_PLAIN, epochs, *fault.recipe),
            test=_frame(parts.valid, parts.classes),
            run=Path(folder) / "run",
            task="regression" if not parts.classes else "binary" if parts.outputs == 2 else "multiclass",
            seed=seed,
        )
        return run.diagnose()


def _frame(pair: Pair, classes: bool) -> pd.DataFrame:
    frame = pd.DataFrame(pair.x.numpy(), columns=[f"x{place}" for place in range(pair.x.shape[1])])
    target = pair.y.reshape(len(pair)).numpy()
    return frame.assign(target=[f"c{label}" for label in target] if classes else target)
