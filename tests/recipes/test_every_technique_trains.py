"""Every technique of every slot goes through the engine: a short training comes to its end."""

import numpy as np
import polars as pl
import pytest
import torch

from liebig.core.recipe import Recipe
from liebig.core.run import Ending
from liebig.core.task import TaskKind
from liebig.data.table.first_recipes import textbook
from liebig.data.table.task import table_task
from liebig.nets.edits import ALL as EDITS
from liebig.recipes import SLOTS, task_complaint
from liebig.recipes.cards import AREAS
from liebig.recipes.slots import OWN, kind_of
from liebig.techniques.averaging import SnapshotEnsemble
from liebig.techniques.compute import Compute
from liebig.techniques.schedules import Constant, Cosine
from liebig.techniques.stopping import FixedEpochs
from liebig.train.training import TrainOptions, train
from liebig.trials.blocks import blocks


def found_task(kind):
    rng = np.random.default_rng(0)
    rows = 240
    number, other = rng.normal(size=rows), rng.normal(size=rows) * 50
    score = number + 0.02 * other + 0.3 * rng.normal(size=rows)
    level = rng.choice(["a", "b", "c"], size=rows)
    target = {
        TaskKind.REGRESSION: score,
        TaskKind.BINARY: np.where(score > 0.5, "yes", "no"),
        TaskKind.MULTICLASS: np.digitize(score, [-0.5, 0.5]).astype(str),
    }[kind]
    return table_task(pl.DataFrame({"n": number, "o": other, "l": level, "y": target}), "y", kind=kind)


@pytest.fixture(scope="module")
def tasks():
    torch.set_num_threads(1)
    return {kind: found_task(kind) for kind in TaskKind}


def placed(recipe, path, settings):
    """`recipe` with a default record of `settings` where its area stands."""
    record = settings()
    slot, _, field = path.partition(".")
    if slot == "techniques":
        if settings is SnapshotEnsemble:
            recipe = recipe.replace(schedule=Cosine(cycles=2), stopping=FixedEpochs(epochs=4))
            record = SnapshotEnsemble(cycles=2)
        return recipe.with_technique(record)
    if field:
        record = getattr(recipe, slot).model_copy(update={field: record})
    if "epochs" in type(record).model_fields:
        record = record.model_copy(update={"epochs": 3})
    if kind_of(settings) == "schedule-free-adamw":
        recipe = recipe.replace(schedule=Constant())
    return recipe.replace(**{slot: record})


#: What trains a network of the user's own, which no table has.
OF_MODULES = {*OWN, *EDITS}
CASES = [(area.path, each) for area in AREAS for each in area.members if each not in OF_MODULES]


@pytest.mark.parametrize(("path", "settings"), CASES, ids=[f"{path}.{kind_of(settings)}" for path, settings in CASES])
def test_it_trains(tasks, path, settings):
    for kind, found in tasks.items():
        plain = textbook(found)
        base = plain.replace(
            network=plain.network.model_copy(update={"width": 16}),
            stopping=FixedEpochs(epochs=2),
            compute=Compute(precision="float32"),
        )
        recipe = placed(base, path, settings)
        if task_complaint(recipe, kind):
            continue
        assert isinstance(recipe, Recipe)
        (trained,) = train(found.task, [recipe], [blocks(found.task, 0)[0]], options=TrainOptions(probes=False))
        assert trained.run.outcome.ending in (Ending.FINISHED, Ending.STOPPED_EARLY), trained.run.outcome
        return
    pytest.fail("no task suits it")


def test_the_cases_are_all_that_a_recipe_can_hold():
    assert {settings for kinds in SLOTS.values() for settings in kinds} - OF_MODULES <= {each for _, each in CASES}
