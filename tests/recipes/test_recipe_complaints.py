"""Every mistake in a recipe is one sentence, with what came, what is required, and the nearest name."""

import pytest
from recipe_cases import PLAIN, plain_recipe

from liebig.core.errors import UserError
from liebig.core.task import TaskKind
from liebig.recipes import (
    recipe_from_file,
    recipe_from_plain,
    recipe_from_toml,
    recipe_to_plain,
    set_field,
    task_complaint,
)


def complaint(call, *arguments):
    with pytest.raises(UserError) as caught:
        call(*arguments)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith((".", "?"))
    return text


@pytest.mark.parametrize(
    ("slot", "record", "words"),
    [
        ("optimizer", {"kind": "momentum", "momentum": 1.4}, "optimizer.momentum is 1.4; it must be at least 0 and below 1."),
        ("network", {"kind": "mlp", "widht": 3}, 'network has no field "widht". Did you mean "width"?'),
        ("network", {"kind": "mlp", "width": "big"}, 'network.width is "big"; it must be a whole number, at least 1 and at most 65536.'),
        ("network", {"kind": "mlp", "width": 12.5}, "network.width is 12.5; it must be a whole number, at least 1 and at most 65536."),
        ("network", {"kind": "mlp", "residual": 1}, "network.residual is 1; it must be true or false."),
        ("network", {"kind": "mlp", "dropout": True}, "network.dropout is true; it must be a number, at least 0 and below 1."),
        ("network", {"kind": "mlp", "dropout": "0.2"}, 'network.dropout is "0.2"; it must be a number, at least 0 and below 1.'),
        ("network", {"kind": "mpl"}, 'network has no kind "mpl"; it must be mlp, packed-mlp, plain-cnn, whitened-cnn, residual-cnn, resnet, vision-transformer, temporal-cnn, lstm, gru, rnn, transformer or user-module. Did you mean "mlp"?'),
        ("network", {"width": 3}, "network has no kind; it must be mlp, packed-mlp, plain-cnn, whitened-cnn, residual-cnn, resnet, vision-transformer, temporal-cnn, lstm, gru, rnn, transformer or user-module."),
        ("network", 3, "network is 3; it must be a kind (mlp, packed-mlp, plain-cnn, whitened-cnn, residual-cnn, resnet, vision-transformer, temporal-cnn, lstm, gru, rnn, transformer or user-module) or a table with one."),
        ("network", {"kind": ["mlp"]}, 'network has no kind ["mlp"]; it must be mlp, packed-mlp, plain-cnn, whitened-cnn, residual-cnn, resnet, vision-transformer, temporal-cnn, lstm, gru, rnn, transformer or user-module. Did you mean "mlp"?'),
        ("inputs", {"kind": "table", "scale": "robst"}, "inputs.scale has no kind \"robst\""),
        ("inputs", {"kind": "table", "scale": {"kind": "robust", "limit": -1}}, "inputs.scale.limit is -1; it must be at least 0."),
        ("inputs", {"kind": "table", "scale": {"kind": "robust", "limits": 1}}, 'inputs.scale has no field "limits". Did you mean "limit"?'),
        ("inputs", {"kind": "table", "scale": {"limit": 1}}, "inputs.scale has no kind; it must be none, min-max"),
        ("inputs", {"kind": "table", "scale": 3}, "inputs.scale is 3; it must be none, min-max"),
        ("inputs", {"kind": "table", "text": "words"}, 'inputs.text is "words"; it must be hashing, tf-idf or none.'),
        ("inputs", {"kind": "table", "without": "age"}, 'inputs.without is "age"; it must be a list of names.'),
        ("stopping", {"kind": "early-stopping", "monitor": "accuracy"}, "must be metric or loss."),
        ("compute", {"kind": "auto", "device": "gpu"}, 'compute.device is "gpu"; it must be auto, cpu, mps, cuda or cuda:NUMBER.'),
        ("optimizer", {"kind": "adam", "learning_rate": float("inf")}, "optimizer.learning_rate is Infinity; it must be a finite number."),
        ("techniques", {"emma": {}}, 'there is no technique "emma". Did you mean "ema"?'),
        ("techniques", {"ema": 3}, "techniques.ema is 3; it must be a table of its fields, on or off."),
        ("techniques", {"ema": {"horizn": 3}}, 'techniques.ema has no field "horizn". Did you mean "horizon"?'),
        ("techniques", {"ema": {"horizon": 0}}, "techniques.ema.horizon is 0; it must be above 0 and at most 10000."),
        ("techniques", "ema", 'techniques is "ema"; it must hold a table for each technique, by its kind.'),
        ("techniques", {"ema": {}, "swa": {}}, "techniques ema and swa both set the averaging; a recipe can have only one of them."),
        ("optimiser", "adam", 'a recipe has no slot "optimiser". Did you mean "optimizer"?'),
    ],
)  # fmt: skip
def test_a_wrong_recipe(slot, record, words):
    assert words in complaint(recipe_from_plain, {**PLAIN, slot: record})


def test_the_source_comes_first():
    text = complaint(recipe_from_toml, "[optimizer]\nkind = 'sgd'\nmomentum = 1", "r.toml")
    assert text.startswith("r.toml: the recipe has no inputs, network,")
    plain = {**PLAIN, "optimizer": {"kind": "sgd", "momentum": 1}}
    assert complaint(recipe_from_plain, plain, "r.toml") == 'r.toml: optimizer has no field "momentum".'


def test_files(tmp_path):
    (tmp_path / "recipe.toml").write_text("[network\n")
    assert 'Did you mean "recipe.toml"?' in complaint(recipe_from_file, tmp_path / "recpe.toml")
    assert "is not TOML: expected" in complaint(recipe_from_file, tmp_path / "recipe.toml")
    (tmp_path / "r.json").write_text('{"a": }')
    assert "is not JSON: expecting value (at line 1, column 7)." in complaint(recipe_from_file, tmp_path / "r.json")
    (tmp_path / "r.json").write_text("[]")
    assert "must be a JSON object" in complaint(recipe_from_file, tmp_path / "r.json")
    (tmp_path / "r.toml").write_bytes(b"\xff\xfe\x00")
    assert "must be text in UTF-8" in complaint(recipe_from_file, tmp_path / "r.toml")
    assert "cannot be read" in complaint(recipe_from_file, tmp_path)
    assert "there is no file" in complaint(recipe_from_file, tmp_path / "no" / "r.toml")


@pytest.mark.parametrize(
    ("change", "path", "value"),
    [
        ("network.dropout=0.2", "network.dropout", 0.2),
        ("network.dropout = .5", "network.dropout", 0.5),
        ("network.activation=relu", "network.activation.kind", "relu"),
        ("network.residual=true", "network.residual", True),
        ("optimizer=muon", "optimizer.kind", "muon"),
        ("optimizer.kind=muon", "optimizer.kind", "muon"),
        ("inputs.scale={kind='robust', limit=1.5}", "inputs.scale.limit", 1.5),
        ("inputs.without=['a=b']", "inputs.without", ["a=b"]),
        ("techniques.ema=on", "techniques.ema.horizon", 1.0),
        ("techniques.ema.horizon=2", "techniques.ema.horizon", 2.0),
        ("techniques.ema={horizon=3}", "techniques.ema.horizon", 3.0),
        ("schedule=cosine", "schedule.kind", "cosine"),
    ],
)
def test_one_field_changed(change, path, value):
    plain = recipe_to_plain(set_field(plain_recipe(), change))
    for part in path.split("."):
        plain = plain[part]
    assert plain == value


def test_techniques_go_on_and_off():
    recipe = set_field(plain_recipe(), "techniques.swa.start=0.5")
    assert [each.kind for each in set_field(recipe, "techniques.ema=on").techniques] == ["ema"]
    assert set_field(recipe, "techniques.swa=on") == recipe
    assert set_field(recipe, "techniques.swa=off") == set_field(recipe, "techniques.ema=on").without_technique(
        type(set_field(recipe, "techniques.ema=on").techniques[0])
    )
    assert set_field(plain_recipe(), "techniques.swa=false") == plain_recipe()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("network.dropout", "a change must be FIELD=VALUE"),
        ("=3", "a change must be FIELD=VALUE"),
        ("network..width=3", "a change must be FIELD=VALUE"),
        ("netwrk.width=3", 'Did you mean "network"?'),
        ("network.widht=3", 'Did you mean "width"?'),
        ("network.width.more=3", "network.width is a value, 128; it has no fields of its own."),
        ("network.activation.slop.e=3", 'network.activation has no field "slop".'),
        ("optimizer=sdg", 'Did you mean "sgd"?'),
        ("techniques=ema", "techniques must be set one by one"),
        ("techniques.emma=on", 'Did you mean "ema"?'),
        ("techniques.ema=7", "it must be on, off or a table of its fields."),
        ("techniques.ema.horizon=-1", "techniques.ema.horizon is -1; it must be above 0 and at most 10000."),
        ("techniques.snapshot-ensemble=on", "needs the schedule cosine with 5 cycles"),
        ("network.dropout=0.1\n0.2", "it must be a number, at least 0 and below 1."),
    ],
)
def test_a_wrong_change(change, words):
    assert words in complaint(set_field, plain_recipe(), change)


@pytest.mark.parametrize(
    ("objective", "kind", "words"),
    [
        ("mse", TaskKind.BINARY, "objective mse learns numbers, however the target is a class: it must be cross-entropy, focal or generalised-cross-entropy."),
        ("focal", TaskKind.REGRESSION, "it must be mse, mae, huber or quantile."),
        ("cross-entropy", TaskKind.MULTICLASS, None),
        ("quantile", TaskKind.REGRESSION, None),
    ],
)  # fmt: skip
def test_objectives_must_suit_the_task(objective, kind, words):
    said = task_complaint(plain_recipe(objective=objective), kind)
    assert (words in said) if words else said is None


def test_what_is_the_users_own_stands_together():
    assert "network user-module cannot read inputs table" in task_complaint(
        plain_recipe(network="user-module"), TaskKind.BINARY
    )
    assert "it must be user-module" in task_complaint(plain_recipe(inputs="module"), TaskKind.BINARY)
    own = {"inputs": "module", "network": "user-module"}
    assert task_complaint(plain_recipe(**own), TaskKind.BINARY) is None
    for kind in TaskKind:
        assert task_complaint(plain_recipe(**own, objective="users-loss"), kind) is None
    assert "users-loss is a function of the user's own" in task_complaint(
        plain_recipe(objective="users-loss"), TaskKind.BINARY
    )


def test_balanced_batches_need_classes():
    balanced = plain_recipe(objective="mse", batching="balanced")
    assert task_complaint(balanced, TaskKind.REGRESSION).startswith("batching balanced draws classes alike")
    assert task_complaint(plain_recipe(batching="balanced"), TaskKind.BINARY) is None
