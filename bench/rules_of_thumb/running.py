"""One table, and the trainings that a rule asks for on it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from liebig.core.evidence import UnitStatistics
from liebig.core.recipe import Recipe
from liebig.core.run import Run, Score
from liebig.core.task import Block, TaskKind
from liebig.data.table.first_recipes import textbook
from liebig.data.table.task import TableTask, table_task
from liebig.nets.mlp import MLP
from liebig.recipes import set_field
from liebig.stack.specs import Wants
from liebig.train.tables import TABLES
from liebig.train.training import TrainOptions, train
from liebig.trials.blocks import blocks
from liebig.trials.score import score, score_of
from rules_of_thumb.questions import Changes, Measured
from rules_of_thumb.records import DEEP_DEPTH, DEEP_WIDTH, PLAIN, WIDE

#: Rows of a test part that is never opened: blocks are made of all others.
_SEALED: Final = 50
_WIDEST: Final = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """One table, ready: its task, the plain recipe, the blocks that everything is trained in, and the width of one hidden
    layer that has the parameters of the deep network."""

    name: str
    found: TableTask
    plain: Recipe
    blocks: tuple[Block, ...]
    wide: int


def tables_of(data: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """The entries of the folder's index that are named, in this order. Ends where one is not there."""
    index = {each["name"]: each for each in json.loads((data / "index.json").read_text()) if each["kind"] == "tabular"}
    unknown = set(names) - set(index)
    if unknown:
        sys.exit(f"there is no table {', '.join(sorted(unknown))} in {data}")
    return [index[name] for name in names]


def ground_of(data: Path, spec: dict[str, Any], rows: int, count: int, seed: int = 0) -> Ground:
    """Read a shared table, `rows` rows of it, and split them into `count` blocks."""
    work, test = (_read(data / spec["file"][part]) for part in ("train", "test"))
    work = work.sample(min(rows, len(work)), seed=seed)
    test = test.sample(min(_SEALED, len(test)), seed=seed)
    found = table_task(work, spec["target"], kind=spec["task"], metric=spec["metric"], test=test, seed=seed)
    return ground(spec["name"], found, count, seed)


def ground(name: str, found: TableTask, count: int, seed: int = 0) -> Ground:
    """The plain recipe and `count` blocks of a task."""
    plain = changed(textbook(found), PLAIN, found.task.kind.is_classification)
    made = tuple(blocks(found.task, seed)[i] for i in range(count))
    return Ground(name, found, plain, made, _as_wide(found, plain, made[0]))


def changed(recipe: Recipe, changes: Iterable[str], without_target: bool) -> Recipe:
    """`recipe` with these changes; those of a target's scale are left out where it has none."""
    for change in changes:
        if not (without_target and change.startswith("inputs.target")):
            recipe = set_field(recipe, change)
    return recipe


def _read(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema_length=None)


def _as_wide(found: TableTask, plain: Recipe, block: Block) -> int:
    """The width of one hidden layer whose parameters are nearest to those of the deep network."""
    signature = TABLES.fit_encoder(found.task, plain.inputs, block.fit, Wants(False, False)).signature

    def parameters(width: int, depth: int) -> int:
        return MLP(width=width, depth=depth).structure(signature, found.task.outputs).parameters

    deep = parameters(DEEP_WIDTH, DEEP_DEPTH)
    return min(range(1, _WIDEST), key=lambda width: abs(parameters(width, 1) - deep))


class Trainings:
    """The trainings of one table by recipe. Nothing is trained twice."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._floors: dict[int, Score] = {}
        self._known: dict[str, tuple[Measured, ...]] = {}

    def __call__(self, changes: Changes) -> tuple[Measured, ...]:
        """The trainings of a recipe, by block. Raises KeyError where it was not trained."""
        return self._known[self._recipe(changes).digest]

    def train(self, asked: Iterable[Changes], looks_inside: bool) -> int:
        """Train what is not known yet, all in one call: the engine stacks what it can. Returns how many were trained."""
        recipes = {each.digest: each for each in map(self._recipe, asked) if each.digest not in self._known}
        at = self._ground
        if not recipes:
            return 0
        options = TrainOptions(probes=looks_inside, timed_probes=False, precision="float32")
        done = train(at.found.task, list(recipes.values()), at.blocks, options=options)
        for i, digest in enumerate(recipes):
            runs = [each.run for each in done[i * len(at.blocks) : (i + 1) * len(at.blocks)]]
            self._known[digest] = tuple(self._measured(block, run) for block, run in zip(at.blocks, runs, strict=True))
        return len(done)

    def _recipe(self, changes: Changes) -> Recipe:
        written = (each.replace(WIDE, str(self._ground.wide)) for each in changes)
        return changed(self._ground.plain, written, self._ground.found.task.kind.is_classification)

    def _measured(self, block: Block, run: Run) -> Measured:
        """A training that broke, or is worse than an answer that ignores its input, counts as that answer: nobody would use
        it, and how bad it is beyond that says nothing."""
        judged, floor = score(self._ground.found.task, run), self._floor(block, run)
        counted = floor if judged.failed or judged.value < floor.value else judged
        return Measured(counted, max(run.outcome.step, 1), _saturated(run))

    def _floor(self, block: Block, run: Run) -> Score:
        if block.index not in self._floors:
            task = self._ground.found.task
            known, count = task.target[np.concatenate([block.fit, block.stop])], len(run.rows)
            if task.kind is TaskKind.MULTICLASS:
                shares = np.bincount(known.astype(np.int64), minlength=len(task.classes)) / len(known)
                answer = np.tile(shares.astype(np.float32), (count, 1))
            else:
                answer = np.full(count, known.mean(), dtype=np.float32)
            self._floors[block.index] = replace(score_of(task, run.rows, answer), seconds=0.0)
        return self._floors[block.index]


def _saturated(run: Run) -> float:
    """The share of saturated units before the first step, over all layers; NaN where nobody looked."""
    seen = run.evidence.get(UnitStatistics)
    if seen is None or not seen.looks:
        return math.nan
    layers = seen.looks[0]
    return sum(each.saturated * each.units for each in layers) / sum(each.units for each in layers)
