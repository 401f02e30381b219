"""Every technique of every slot goes through the engine: a short training comes to its end."""

import numpy as np
import polars as pl
import pytest
import torch

from liebig.core.recipe import Recipe
from liebig.core.run import Ending
from liebig.core.task import TaskKind
from liebig.data.pictures.first_recipes import textbook as picture_textbook
from liebig.data.pictures.task import picture_task
from liebig.data.sequences.first_recipes import textbook as sequence_textbook
from liebig.data.sequences.task import sequence_task
from liebig.data.table.first_recipes import textbook
from liebig.data.table.task import table_task
from liebig.nets.edits import ALL as EDITS
from liebig.nets.lstm import LSTM
from liebig.nets.resnet import ResNet
from liebig.nets.whitened_cnn import WhitenedCNN
from liebig.recipes import SLOTS, task_complaint
from liebig.recipes.cards import AREAS
from liebig.recipes.slots import OWN, PICTURES, SEQUENCES, kind_of
from liebig.techniques.averaging import SnapshotEnsemble
from liebig.techniques.compute import Compute
from liebig.techniques.schedules import Constant, Cosine
from liebig.techniques.stopping import FixedEpochs
from liebig.train.pictures import PICTURES as PICTURE_ENCODING
from liebig.train.sequences import SEQUENCES as SEQUENCE_ENCODING
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
    return {kind: found_task(kind) for kind in TaskKind if kind is not TaskKind.PLACES}


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
CASES = [
    (area.path, each)
    for area in AREAS
    for each in area.members
    if each not in OF_MODULES and each not in PICTURES and each not in SEQUENCES
]
OF_PICTURES = [(area.path, each) for area in AREAS for each in area.members if each in PICTURES]
OF_SEQUENCES = [(area.path, each) for area in AREAS for each in area.members if each in SEQUENCES]


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


@pytest.mark.parametrize(
    ("path", "settings"), OF_PICTURES, ids=[f"{path}.{kind_of(settings)}" for path, settings in OF_PICTURES]
)
def test_what_is_for_pictures_trains_on_pictures(path, settings):
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    found = picture_task((rng.integers(0, 255, (60, 10, 10, 3), dtype=np.uint8), np.arange(60) % 3))
    base = picture_textbook(found).replace(network=WhitenedCNN(width=4, blocks=1), stopping=FixedEpochs(epochs=2))
    recipe = placed(base, path, settings)
    if path == "network":
        recipe = recipe.replace(network=settings() if settings is ResNet else settings(width=4))
    (trained,) = train(
        found.task, [recipe], [blocks(found.task, 0)[0]], options=TrainOptions(probes=True), encoding=PICTURE_ENCODING
    )
    assert trained.run.outcome.ending is Ending.FINISHED, trained.run.outcome
    assert trained.run.predictions.shape[1] == 3


@pytest.mark.parametrize(
    ("path", "settings"), OF_SEQUENCES, ids=[f"{path}.{kind_of(settings)}" for path, settings in OF_SEQUENCES]
)
def test_what_is_for_sequences_trains_on_sequences(path, settings):
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    found = sequence_task((rng.normal(size=(60, 12, 2)).astype(np.float32), np.arange(60) % 3))
    base = sequence_textbook(found).replace(network=LSTM(width=4), stopping=FixedEpochs(epochs=2))
    recipe = placed(base, path, settings)
    if path == "network":
        recipe = recipe.replace(network=settings(width=4))
    (trained,) = train(
        found.task, [recipe], [blocks(found.task, 0)[0]], options=TrainOptions(probes=True), encoding=SEQUENCE_ENCODING
    )
    assert trained.run.outcome.ending is Ending.FINISHED, trained.run.outcome
    assert trained.run.predictions.shape[1] == 3


def test_the_cases_are_all_that_a_recipe_can_hold():
    every = {settings for kinds in SLOTS.values() for settings in kinds}
    assert every - OF_MODULES <= {each for _, each in (*CASES, *OF_PICTURES, *OF_SEQUENCES)}
