"""The recipes that a table begins with: the textbook network, which is the baseline, and what an expert would start from.

The numbers are measured on 17 tables (docs: starting recipes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.core.task import Task
from liebig.data.table.content import TableData
from liebig.data.table.inputs import MANY_LEVELS, TableInputs
from liebig.data.table.task import TableTask
from liebig.nets.activations.gelu import GELU
from liebig.nets.activations.relu import ReLU
from liebig.nets.mlp import MLP
from liebig.techniques.averaging.ema import EMA
from liebig.techniques.batching.shuffled import Shuffled
from liebig.techniques.compute.auto import Compute
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.techniques.initialisations.base_rate_bias import BaseRateBias
from liebig.techniques.initialisations.he import He
from liebig.techniques.numbers.piecewise_linear import PiecewiseLinear
from liebig.techniques.numbers.plain import PlainNumbers
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.objectives.mse import MSE
from liebig.techniques.optimizers.adam import Adam
from liebig.techniques.optimizers.adamw import AdamW
from liebig.techniques.scalings.divide_by_max import DivideByMax
from liebig.techniques.scalings.none import NoScaling
from liebig.techniques.scalings.standardise import Standardise
from liebig.techniques.schedules.constant import Constant
from liebig.techniques.schedules.cosine import Cosine
from liebig.techniques.stopping.early_stopping import EarlyStopping
from liebig.techniques.stopping.epochs import FixedEpochs
from liebig.techniques.targets.none import RawTarget

#: Below so many rows an inner part to stop on costs more than stopping gives.
SMALL_ROWS: Final = 1_000
#: From so many rows on batches are larger, and one network is worth more than several short ones.
LARGE_ROWS: Final = 8_000
_VERY_LARGE_ROWS: Final = 20_000

_WIDE_COLUMNS: Final = 200
_COUNT_CODES: Final = 4  # codes a column; word counts have fewer


@dataclass(frozen=True, slots=True)
class _Length:
    """Batch size and epochs."""

    batch: int
    epochs: int


def textbook(table_task: TableTask) -> Recipe:
    """What a first course would train: one-hot categories, raw numbers (missing ones at the median), two layers of 128
    ReLU, Adam at 1e-3, a fixed number of epochs, the last weights."""
    task = table_task.task
    length = _textbook_length(len(task.parts.work))
    return Recipe(
        inputs=TableInputs(scale=NoScaling(), numbers=PlainNumbers(), missing_indicator=False, target=RawTarget()),
        network=MLP(width=128, depth=2, activation=ReLU()),
        objective=_objective(task),
        optimizer=Adam(learning_rate=1e-3, weight_decay=0.0),
        schedule=Constant(),
        batching=Shuffled(size=length.batch),
        stopping=FixedEpochs(epochs=length.epochs),
        compute=Compute(),
    )


def starting(table_task: TableTask) -> Recipe:
    """What an expert would start from: piecewise-linear codes beside standardised numbers, GELU with He's initialisation,
    AdamW at a constant rate with averaged weights and early stopping; for small and for wide tables a fixed length."""
    task = table_task.task
    rows = len(task.parts.work)
    many_columns = _has_many_columns(task.data, rows)
    counts = many_columns and _holds_counts(task.data)
    wide = many_columns and not counts
    fixed = rows < SMALL_ROWS or wide
    many = any(len(column.levels) > MANY_LEVELS for column in task.data.categories)
    techniques: tuple[Settings, ...] = (He(), BaseRateBias())
    if not fixed:
        techniques += (EMA(horizon=1.0),)
    if rows < LARGE_ROWS:
        techniques += (SeedEnsemble(members=8 if fixed else 4),)
    length = _textbook_length(rows) if fixed else _starting_length(rows)
    return Recipe(
        inputs=TableInputs(
            # Standardising a count that is nearly always zero makes its few others huge; dividing keeps zero at zero.
            scale=DivideByMax() if counts else Standardise(),
            numbers=PlainNumbers() if many_columns else PiecewiseLinear(),
            cross_fitted_targets=many,
        ),
        network=MLP(width=128 if fixed else 256, depth=2, activation=GELU(), dropout=0.1),
        objective=_objective(task),
        optimizer=AdamW(learning_rate=3e-3, weight_decay=0.01),
        schedule=Cosine(warmup=0.05) if fixed else Constant(warmup=0.05),
        batching=Shuffled(size=length.batch),
        stopping=FixedEpochs(epochs=25) if fixed else EarlyStopping(epochs=length.epochs, patience=8),
        techniques=techniques,
        compute=Compute(),
    )


def _objective(task: Task[TableData]) -> Settings:
    return CrossEntropy() if task.kind.is_classification else MSE()


def _textbook_length(rows: int) -> _Length:
    if rows < SMALL_ROWS:
        return _Length(32, 25)
    return _Length(128, 15) if rows < LARGE_ROWS else _Length(256, 10)


def _starting_length(rows: int) -> _Length:
    if rows < LARGE_ROWS:
        return _Length(128, 45)
    return _Length(256 if rows < _VERY_LARGE_ROWS else 512, 40)


def _has_many_columns(data: TableData, rows: int) -> bool:
    """Over 200 numeric inputs, or more inputs than rows."""
    count = len(data.numeric_inputs)
    return count > _WIDE_COLUMNS or count > rows


def _holds_counts(data: TableData) -> bool:
    """True when numeric inputs take so few values, on average, that they are counts or flags."""
    return float(np.mean([PiecewiseLinear().width(distinct) for distinct in data.distinct])) <= _COUNT_CODES
