"""Recipes written and read back: equal, with equal digests; differences exact."""

import json
import re
import tomllib

import pytest
from hypothesis import given, settings
from pydantic import ValidationError
from recipe_cases import plain_recipe, recipes

from liebig.core.errors import UserError
from liebig.core.recipe import Recipe
from liebig.nets.edits import InsertDropout, Reinitialise
from liebig.recipes import (
    SLOTS,
    recipe_from_file,
    recipe_from_json,
    recipe_from_plain,
    recipe_from_toml,
    recipe_to_json,
    recipe_to_plain,
    recipe_to_toml,
    set_field,
)


@given(recipes())
@settings(max_examples=60, deadline=None)
def test_every_recipe_round_trips(recipe):
    for back in (
        recipe_from_toml(recipe_to_toml(recipe)),
        recipe_from_json(recipe_to_json(recipe)),
        recipe_from_plain(recipe_to_plain(recipe)),
        recipe_from_plain(json.loads(json.dumps(recipe.plain()))),
    ):
        assert back == recipe
        assert back.digest == recipe.digest
        assert back.population_key == recipe.population_key
        assert recipe.diff(back) == ()


@given(recipes(), recipes())
@settings(max_examples=60, deadline=None)
def test_digests_differ_exactly_when_recipes_do(one, other):
    assert (one.digest == other.digest) == (one == other) == (one.diff(other) == ())


@given(recipes(), recipes())
@settings(max_examples=60, deadline=None)
def test_a_difference_says_all_that_changed_and_nothing_else(one, other):
    changes = one.diff(other)
    before, after = flat(one.plain()), flat(other.plain())
    assert {change.path for change in changes} == {
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    }
    for change in changes:
        assert change.before == before.get(change.path)
        assert change.after == after.get(change.path)
    assert {(c.path, c.before, c.after) for c in map(hashed, changes)} == {
        (c.path, c.after, c.before) for c in map(hashed, other.diff(one))
    }


def hashed(change):
    return type(change)(change.path, str(change.before), str(change.after))


def flat(value, prefix=""):
    leaves = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            leaves |= flat(inner, f"{prefix}{key}.") if inner or not prefix else {f"{prefix}{key}": "on"}
        else:
            leaves[f"{prefix}{key}"] = inner
    return leaves


@given(recipes(), recipes())
@settings(max_examples=40, deadline=None)
def test_changes_of_one_slot_set_one_by_one_lead_there(one, other):
    """``--set`` can write every field: a slot by its kind, then its fields."""
    for slot in SLOTS:
        if slot == "techniques":
            continue
        try:
            target = one.replace(**{slot: getattr(other, slot)})
        except ValidationError:
            continue
        table = target.plain()[slot]
        changed = set_field(one, f"{slot}={toml(table)}")
        assert getattr(changed, slot) == getattr(other, slot)


def toml(table):
    inner = ", ".join(f"{written(key)} = {written(value)}" for key, value in table.items())
    return "{ " + inner + " }"


def written(value):
    if isinstance(value, dict):
        return toml(value)
    if isinstance(value, list):
        return f"[{', '.join(written(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def test_toml_is_readable_and_in_order():
    text = recipe_to_toml(plain_recipe(techniques=["ema", "he", "base-rate-bias"]))
    tables = [line for line in text.splitlines() if line.startswith("[")]
    assert tables == [
        "[inputs]", "[network]", "[objective]", "[optimizer]", "[schedule]", "[batching]", "[stopping]",
        "[techniques.base-rate-bias]", "[techniques.ema]", "[techniques.he]", "[compute]",
    ]  # fmt: skip
    assert 'activation = "gelu"' in text
    assert 'scale = { kind = "robust", limit = 2.0 }' in recipe_to_toml(
        set_field(plain_recipe(), 'inputs.scale={ kind = "robust", limit = 2.0 }')
    )
    assert list(tomllib.loads(text)) == list(SLOTS)


def test_odd_column_names_survive():
    names = ["나이", 'a "quoted" name', "back\\slash", "tab\tline\n", "del\x7f", "", "é"]
    recipe = set_field(plain_recipe(), f"inputs.without={written(names)}")
    assert recipe_from_toml(recipe_to_toml(recipe)) == recipe


def test_edits_of_a_network_of_ones_own_are_written_and_read():
    edits = '[{ kind = "insert-dropout", before = ["fc2"], rate = 0.25 }, "reinitialise"]'
    recipe = set_field(plain_recipe(network={"kind": "user-module", "source": "mine:build"}), f"network.edits={edits}")
    assert recipe.network.edits == (InsertDropout(before=("fc2",), rate=0.25), Reinitialise())
    assert recipe_from_toml(recipe_to_toml(recipe)) == recipe
    assert [change.path for change in plain_recipe(network="user-module").diff(recipe)] == [
        "network.source",
        "network.edits",
    ]
    wrong = 'network.edits=[{ kind = "insert-dropout", rate = 2.0 }]'
    with pytest.raises(UserError, match=re.escape("network.edits[0].rate is 2.0; it must be above 0 and below 1.")):
        set_field(plain_recipe(network="user-module"), wrong)
    with pytest.raises(UserError, match=r'network.edits.*has no kind "insert-droput"; it must be widen-hidden'):
        set_field(plain_recipe(network="user-module"), 'network.edits=["insert-droput"]')


def test_short_forms():
    full = plain_recipe(techniques=["ema"])
    plain = {
        "inputs": "table", "network": "mlp", "objective": "cross-entropy", "optimizer": "adamw", "schedule": "constant",
        "batching": {"kind": "shuffled"}, "stopping": "epochs",
    }  # fmt: skip
    for techniques in (
        {"ema": {}},
        {"ema": "on"},
        {"ema": True, "he": False, "swa": "off"},
        ["ema"],
        [{"kind": "ema"}],
    ):
        assert recipe_from_plain({**plain, "techniques": techniques}) == full
    nested = recipe_from_plain({**plain, "network": {"kind": "mlp", "activation": {"kind": "relu"}}})
    assert nested == recipe_from_plain({**plain, "network": {"kind": "mlp", "activation": "relu"}})


def test_a_base_lends_what_a_short_file_leaves_out(tmp_path):
    base = plain_recipe(techniques=["ema"])
    file = tmp_path / "short.toml"
    file.write_text('\ufeff[optimizer]\nkind = "muon"\n', "utf-8")
    recipe = recipe_from_file(file, base)
    assert recipe.optimizer.kind == "muon"
    assert recipe.techniques == base.techniques
    assert recipe.network == base.network
    json_file = tmp_path / "short.JSON"
    json_file.write_text('{"techniques": {}}', "utf-8")
    assert recipe_from_file(json_file, base) == plain_recipe()


def test_whole_numbers_are_numbers():
    recipe = set_field(plain_recipe(), "optimizer.learning_rate=1")
    assert recipe == set_field(plain_recipe(), "optimizer.learning_rate=1.0")
    assert recipe.digest == set_field(plain_recipe(), "optimizer.learning_rate=1e0").digest


def test_errors_are_user_errors_only():
    for text in ("", "[", "network = 3", "[[techniques]]", "techniques = 1", "[techniques]\nema = 2", "inputs = []"):
        with pytest.raises(UserError):
            recipe_from_toml(text, "r.toml")
    assert isinstance(plain_recipe(), Recipe)
