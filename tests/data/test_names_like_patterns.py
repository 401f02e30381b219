"""Column names that polars would take for patterns are names like any others, all the way."""

import numpy as np
import polars as pl
import pytest

import liebig
from liebig.data.table.look import look
from liebig.data.table.task import table_task

ROWS = 240


def table(seed=0):
    generator = np.random.default_rng(seed)
    number = generator.normal(size=ROWS)
    return pl.DataFrame({
        "^a$": number,
        "*": generator.choice(["red", "green", "blue"], ROWS),
        "^.*$": [f"2024-0{month}-11" for month in generator.integers(1, 10, ROWS)],
        r"^\d+$": [f"{number:.2f}".replace(".", ",") for number in generator.normal(size=ROWS)],
        "^group$": np.repeat(np.arange(ROWS // 4), 4),
        "^weight$": generator.uniform(0.5, 1.5, ROWS),
        "^y$": np.where(number + 0.3 * generator.normal(size=ROWS) > 0, "yes", "no"),
    })  # fmt: skip


def test_kinds_are_found():
    seen = {column.name: column.kind for column in look(table()).columns}
    assert seen["^a$"] == "number"
    assert seen["*"] == "category"
    assert seen["^.*$"] == "date"
    assert seen[r"^\d+$"] == "number"


@pytest.mark.parametrize("target", ["^y$", "^a$"])
def test_task_with_group_weights_and_test(target):
    made = table_task(table(), target, group="^group$", weights="^weight$", test=table(1))
    assert {column.name for column in made.task.data.inputs} >= {"*", "^.*$", r"^\d+$"}
    assert np.isfinite(made.task.target).all()


def test_types_of_other_tools_keep_their_names():
    frame = table().with_columns(pl.Series("^c$", ["x", "y"] * (ROWS // 2), dtype=pl.Categorical))
    seen = {column.name: column.kind for column in look(frame).columns}
    assert seen["^c$"] == "category"


def test_a_network_learns_and_answers(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(table().write_csv().encode())
    improved = liebig.improve(path, "^y$", trials=8, study=tmp_path / "study")
    frame = table(2)
    answers = improved.best.predict(frame.drop("^y$"))
    assert (np.asarray(answers) == frame["^y$"].to_numpy()).mean() > 0.7
    assert "^a$" in (improved.path / "report.html").read_text()
