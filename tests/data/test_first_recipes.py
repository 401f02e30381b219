"""The recipes that a table begins with."""

import numpy as np
import pytest

from liebig.data.table.first_recipes import starting, textbook
from liebig.data.table.task import table_task


def made(rows, columns=3, levels=4):
    generator = np.random.default_rng(0)
    table = {f"x{i}": generator.normal(size=rows) for i in range(columns)}
    table["c"] = [f"l{i % levels}" for i in range(rows)]
    return table_task({**table, "y": generator.integers(0, 2, rows)}, "y")


@pytest.mark.parametrize(("rows", "batch", "epochs"), [(500, 32, 25), (3000, 128, 15), (12_000, 256, 10)])
def test_textbook(rows, batch, epochs):
    recipe = textbook(made(rows))
    assert (recipe.batching.size, recipe.stopping.epochs) == (batch, epochs)
    assert (recipe.optimizer.kind, recipe.optimizer.learning_rate) == ("adam", 1e-3)
    assert recipe.inputs.scale.kind == recipe.inputs.target.kind == "none"
    assert recipe.techniques == ()


@pytest.mark.parametrize(
    ("rows", "batch", "stopping", "epochs", "width"),
    [
        (500, 32, "epochs", 25, 128),
        (3000, 128, "early-stopping", 45, 256),
        (12_000, 256, "early-stopping", 40, 256),
        (30_000, 512, "early-stopping", 40, 256),
    ],
)
def test_starting(rows, batch, stopping, epochs, width):
    recipe = starting(made(rows))
    assert (recipe.batching.size, recipe.stopping.kind, recipe.stopping.epochs) == (batch, stopping, epochs)
    assert (recipe.network.width, recipe.inputs.numbers.kind) == (width, "piecewise-linear")
    assert recipe.digest != textbook(made(rows)).digest


def test_wide_tables_are_only_standardised():
    recipe = starting(made(300, columns=250))
    assert recipe.inputs.numbers.kind == "plain"
    assert recipe.inputs.scale.kind == "standardise"
    assert recipe.stopping.kind == "epochs"


def test_very_many_levels_get_target_means():
    assert starting(made(2500, levels=1200)).inputs.cross_fitted_targets
    assert not starting(made(2500)).inputs.cross_fitted_targets


def test_counts_are_divided_by_their_largest():
    generator = np.random.default_rng(0)
    words = {f"w{i}": generator.integers(0, 3, 400) for i in range(210)}
    recipe = starting(
        table_task({**words, "y": generator.integers(0, 2, 400)}, "y", columns=dict.fromkeys(words, "number"))
    )
    assert (recipe.inputs.scale.kind, recipe.inputs.numbers.kind) == ("max", "plain")
    assert recipe.stopping.kind == "epochs"
