"""The starting recipe, taken apart."""

import numpy as np
import polars as pl
from remedy_cases import recipe

from liebig import checks
from liebig.core.recipe import Recipe
from liebig.core.task import TaskKind
from liebig.data.table.first_recipes import starting, textbook
from liebig.data.table.inputs import TableInputs
from liebig.data.table.task import table_task
from liebig.nets.mlp import MLP
from liebig.remedies.parts import parts
from liebig.techniques.targets.none import RawTarget
from liebig.techniques.targets.standardise import StandardisedTarget

BINARY, REGRESSION = TaskKind.BINARY, TaskKind.REGRESSION


def _first_recipes(rows: int, numbers: bool) -> tuple[Recipe, Recipe]:
    rng = np.random.default_rng(0)
    target = rng.normal(size=rows) if numbers else rng.choice(["no", "yes"], rows)
    table = table_task(pl.DataFrame({"a": rng.normal(size=rows), "b": rng.choice(["x", "y"], rows), "y": target}), "y")
    return textbook(table), starting(table)


def test_each_part_is_the_starting_recipe_without_one_thing():
    for rows, numbers in ((300, False), (3000, False), (3000, True)):
        before, after = _first_recipes(rows, numbers)
        found = parts(before, after, REGRESSION if numbers else BINARY)
        assert len(found) >= 8
        assert len({part.without.digest for part in found}) == len(found)
        for part in found:
            slots = {change.path.partition(".")[0] for change in after.diff(part.without)}
            assert len(slots) == 1, (part.name, slots)
            assert after.digest != part.without.digest


def test_parts_are_named_and_point_at_checks():
    before, after = _first_recipes(3000, True)
    names = {part.path: part.name for part in parts(before, after, REGRESSION)}
    assert names["network.activation"] == "activation: gelu, else relu"
    assert names["inputs.scale"] == "scaled inputs: standardise, else none"
    assert names["optimizer.learning_rate"] == "learning rate: 0.003, else 0.001"
    assert names["optimizer"] == "optimizer: adamw, else adam"
    assert names["techniques.ema"] == "averaged weights: ema, else none"
    known = {check.name for check in checks.ALL}
    for part in parts(before, after, REGRESSION):
        assert set(part.answers) <= known, part


def test_all_parts_together_lead_back_to_the_textbook():
    before, after = _first_recipes(3000, False)
    slots = {part.path.partition(".")[0] for part in parts(before, after, BINARY)} | {"techniques"}
    assert {change.path.partition(".")[0] for change in before.diff(after)} - {"compute"} <= slots | {"initialisation"}


def test_what_only_numbers_read_is_no_part_where_classes_are_learnt():
    plain, scaled = (recipe(inputs=TableInputs(target=target)) for target in (RawTarget(), StandardisedTarget()))
    assert [part.path for part in parts(plain, scaled, REGRESSION)] == ["inputs.target"]
    assert parts(plain, scaled, BINARY) == ()


def test_equal_recipes_have_no_parts():
    assert parts(recipe(), recipe(), BINARY) == ()


def test_one_field_is_one_part():
    only = parts(recipe(), recipe(network=MLP(activation="relu", width=64)), BINARY)
    assert [part.name for part in only] == ["width: 64, else 128"]
    assert only[0].without == recipe()
