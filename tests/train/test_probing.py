"""Active probes of a run: the network as a module is the engine's own, and what a user's loop shows is shown of it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch

from liebig.core.evidence import FasterSettings, FinalScore, OneBatch, RateRange, ShuffledInputs
from liebig.core.recipe import Recipe
from liebig.data.table.first_recipes import textbook
from liebig.data.table.task import TableTask, table_task
from liebig.nets.mlp import MLP
from liebig.techniques.compute.auto import Compute
from liebig.techniques.optimizers.adamw import AdamW
from liebig.techniques.stopping.epochs import FixedEpochs
from liebig.train.as_module import RecipeNetwork, optimizer_of
from liebig.train.loop import Population, Watching
from liebig.train.options import TrainOptions
from liebig.train.plan import plans
from liebig.train.probing import probe_run
from liebig.train.stacked import Machine
from liebig.train.tables import TABLES
from liebig.train.training import train
from liebig.trials.blocks import blocks


def table(kind: str, rows: int = 300) -> TableTask:
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=rows), rng.normal(size=rows), rng.choice(["u", "v", "w"], rows)
    signal = a + 0.5 * b + (c == "u")
    target = {
        "numbers": signal, "two": np.where(signal > 0.5, "yes", "no"),
        "three": np.array(["low", "mid", "high"])[np.digitize(signal, [-0.3, 0.9])],
    }[kind]  # fmt: skip
    return table_task(pl.DataFrame({"a": a, "b": b, "c": c, "y": target}), "y")


def recipe_for(found: TableTask, **changes: object) -> Recipe:
    small = {
        "network": MLP(width=16, depth=2),
        "stopping": FixedEpochs(epochs=4),
        "compute": Compute(precision="float32"),
    }
    return textbook(found).model_copy(update={**small, **changes})


def population(found: TableTask, recipe: Recipe) -> Population:
    task = found.task
    (plan,) = plans(
        task, [recipe], [blocks(task, 0)[0]], TrainOptions().fidelity,
        lambda each, wants, rows: TABLES.fit_encoder(task, each.inputs, rows, wants),
    )  # fmt: skip
    machine = Machine(torch.device("cpu"), torch.float32)
    feed = TABLES.feed(task, [plan.members[0].course.encoder], machine.device, machine.dtype)
    return Population(task, plan, feed, machine, Watching(lambda event: None, None, False))


@pytest.mark.parametrize("kind", ["numbers", "two", "three"])
@pytest.mark.parametrize("changes", [{}, {"optimizer": AdamW(learning_rate=0.01, weight_decay=0.1)}])
def test_a_network_trained_as_a_module_ends_where_the_engine_ends(kind: str, changes: dict[str, object]) -> None:
    found = table(kind)
    recipe = recipe_for(found, **changes)
    (trained,) = train(found.task, [recipe], [blocks(found.task, 0)[0]], options=TrainOptions(keep_models=True))
    own = population(found, recipe)
    network = RecipeNetwork(own.stack, ("dense",), found.task.kind.is_classification)
    optimizer = optimizer_of(network, recipe.optimizer, own.ground)  # type: ignore[arg-type]  # it is an optimizer's
    network.train()
    for epoch in range(4):
        for batches in own._batches(epoch):
            batch = own.feed.batch(batches[0][0].rows)
            optimizer.zero_grad()
            network.loss(network(batch.dense[0]), batch.target[0]).backward()
            optimizer.step()
    weights = torch.cat([each.detach().reshape(-1) for each in network.parameters()])
    assert trained.model is not None
    torch.testing.assert_close(weights, trained.model.weights[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["numbers", "two", "three"])
def test_what_probes_measure_of_a_run(kind: str) -> None:
    found = table(kind)
    recipe = recipe_for(found)
    block = blocks(found.task, 0)[0]
    (trained,) = train(found.task, [recipe], [block], options=TrainOptions(keep_models=True))
    probed = probe_run(found.task, recipe, block, trained.model, seconds=3.0)
    assert probed.evidence.get(OneBatch) is not None, probed.reasons
    assert probed.evidence.get(RateRange) is not None, probed.reasons
    assert probed.evidence.get(ShuffledInputs) is not None, probed.reasons
    assert probed.evidence.get(FinalScore) is None, "the run has its own"
    assert probed.evidence.get(FasterSettings) is None
    shuffled = probed.evidence.get(ShuffledInputs)
    own = trained.run.evidence.get(FinalScore)
    assert shuffled is not None
    assert own is not None
    assert shuffled.chance_loss == pytest.approx(own.chance_loss, rel=0.05), "one unit"


def test_a_run_that_broke_is_probed_from_its_start() -> None:
    found = table("numbers")
    recipe = recipe_for(found)
    probed = probe_run(found.task, recipe, blocks(found.task, 0)[0], None, seconds=2.0)
    assert probed.evidence.get(RateRange) is not None, probed.reasons
