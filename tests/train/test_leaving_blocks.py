"""All members of some blocks leave in the middle of an epoch: those of the others go on."""

import numpy as np
import polars as pl

from liebig.core.run import Ending
from liebig.data.table.first_recipes import textbook
from liebig.data.table.task import table_task
from liebig.recipes import set_field
from liebig.train.training import train
from liebig.trials.blocks import blocks


def test_a_recipe_that_diverges_in_all_its_blocks_does_not_disturb_another():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"a": rng.normal(size=600), "b": rng.normal(size=600)}).with_columns(y=pl.col("a") * 2)
    found = table_task(frame, "y")
    recipe = textbook(found)
    for change in ("optimizer=sgd", "optimizer.learning_rate=0.01", "stopping.epochs=30"):
        recipe = set_field(recipe, change)
    # It chooses its epoch, and so trains on other rows of the same blocks.
    wild = set_field(set_field(recipe, "stopping=best-epoch"), "optimizer.learning_rate=10")
    assert wild.population_key == recipe.population_key
    some = [blocks(found.task, 0, 3)[i] for i in range(3)]
    endings = [each.run.outcome.ending for each in train(found.task, (recipe, wild), some)]
    assert endings == [Ending.FINISHED] * 3 + [Ending.DIVERGED] * 3
    alone = train(found.task, (recipe,), some)
    assert all(each.run.outcome.ending is Ending.FINISHED for each in alone)
