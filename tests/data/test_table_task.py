"""From a table to a task: kinds of target, parts, and what is refused."""

import numpy as np
import polars as pl
import pytest

from liebig.core.errors import UserError
from liebig.core.task import TaskKind
from liebig.data.table.look import look
from liebig.data.table.task import table_task

GENERATOR = np.random.default_rng(0)


def table(rows=200, **columns):
    generator = np.random.default_rng(1)
    x = generator.normal(size=rows)
    base = {"x": x, "z": generator.normal(size=rows), "y": np.where(x + generator.normal(size=rows) > 0, "yes", "no")}
    return {**base, **columns}


def refused(*arguments, **options):
    with pytest.raises(UserError) as caught:
        table_task(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_two_words_are_binary():
    made = table_task(table(), "y")
    assert made.task.kind is TaskKind.BINARY
    assert made.task.classes == ("no", "yes")
    assert made.task.metric.name == "roc_auc"
    assert made.task.outputs == 1


@pytest.mark.parametrize(
    ("target", "kind", "classes", "metric"),
    [
        (np.arange(200) % 3, TaskKind.MULTICLASS, ("0", "1", "2"), "accuracy"),
        (np.arange(200) % 2, TaskKind.BINARY, ("0", "1"), "roc_auc"),
        (np.arange(200) % 2 == 0, TaskKind.BINARY, ("false", "true"), "roc_auc"),
        (np.arange(200) % 29, TaskKind.REGRESSION, (), "rmse"),
        (np.arange(200) / 7, TaskKind.REGRESSION, (), "rmse"),
        (np.array(["10", "9", "2", "b"])[np.arange(200) % 4], TaskKind.MULTICLASS, ("10", "2", "9", "b"), "accuracy"),
        (np.array(["10", "9", "2"])[np.arange(200) % 3], TaskKind.MULTICLASS, ("2", "9", "10"), "accuracy"),
    ],
)
def test_kind_of_target(target, kind, classes, metric):
    task = table_task(table(y=target), "y").task
    assert (task.kind, task.classes, task.metric.name) == (kind, classes, metric)


def test_kind_can_be_said():
    codes = np.arange(200) % 3
    assert table_task(table(y=codes), "y", kind="regression", metric="MAE").task.metric.name == "mae"
    assert table_task(table(y=np.arange(200) % 29), "y", kind="multiclass").task.outputs == 29
    assert "multiclass" in refused(table(), "y", kind="multclass")
    assert "numbers" in refused(table(), "y", kind="regression")
    assert "two classes" in refused(table(y=codes), "y", kind="binary")


def test_parts_are_disjoint_stratified_and_follow_the_seed():
    target = np.array(["a"] * 160 + ["b"] * 40)
    first, again, other = (table_task(table(y=target), "y", seed=seed).task for seed in (3, 3, 4))
    parts = first.parts
    assert len(np.intersect1d(parts.work, parts.sealed)) == 0
    assert len(parts.work) + len(parts.sealed) == 200
    assert np.bincount(first.target[parts.sealed].astype(int)).tolist() == [32, 8]
    assert (parts.sealed == again.parts.sealed).all()
    assert not np.array_equal(parts.sealed, other.parts.sealed)


def test_rare_classes_stay_in_work():
    target = np.array(["a"] * 100 + ["b"] * 97 + ["c"] * 3)
    made = table_task(table(y=target), "y")
    assert (made.task.target[made.task.parts.sealed] < 2).all()
    assert any('"c" (3)' in note for note in made.notes)


def test_rows_without_target_are_dropped_and_counted():
    target = [None if i % 10 == 0 else ("a" if i % 2 else "b") for i in range(200)]
    made = table_task(table(y=target), "y")
    assert made.task.rows == 180
    assert made.profile.dropped_targets == 20
    assert "20 of 200" in made.notes[0]
    assert made.task.data.file_rows[:3].tolist() == [1, 2, 3]
    assert made.task.data.cells(0)["y"] == "a"


def test_groups_stay_whole():
    group = np.array([f"g{i}" for i in GENERATOR.integers(0, 30, 200)])
    made = table_task(table(g=group), "y", group="g")
    work, sealed = made.task.parts.work, made.task.parts.sealed
    assert not set(group[work]) & set(group[sealed])
    assert 20 <= len(sealed) <= 60
    assert "g" not in [column.name for column in made.task.data.inputs]


def test_copies_of_a_row_are_one_group():
    base = table()
    twice = {name: np.concatenate([values, values[:20]]) for name, values in base.items()}
    made = table_task(twice, "y")
    groups = made.task.groups
    assert (groups[:20] == groups[200:]).all()
    assert len(np.unique(groups)) == 200
    sealed = set(made.task.parts.sealed.tolist())
    assert all((i in sealed) == (200 + i in sealed) for i in range(20))
    assert made.profile.duplicate_rows <= 20


def test_rows_of_few_coarse_columns_are_no_copies():
    made = table_task({"a": np.arange(200) % 2, "b": np.arange(200) % 3, "y": np.arange(200) % 5 > 2}, "y")
    assert made.task.groups is None


def test_time_seals_the_latest():
    days = np.datetime64("2020-01-01") + GENERATOR.permutation(200)
    made = table_task(table(t=days), "y", time="t")
    parts = made.task.parts
    assert made.task.time[parts.work].max() < made.task.time[parts.sealed].min()
    assert 35 <= len(parts.sealed) <= 45
    assert not {"t (year)", "t (elapsed)"} & {each.name for each in made.task.data.numeric_inputs}


def test_weights_have_mean_one():
    made = table_task(table(w=np.linspace(0, 4, 200)), "y", weights="w")
    assert made.task.weights.mean() == pytest.approx(1.0)
    assert "w" not in [column.name for column in made.task.data.inputs]
    assert "from 0 up" in refused(table(w=-np.ones(200)), "y", weights="w")


def test_the_users_own_test_table(tmp_path):
    pl.DataFrame(table()).write_csv(tmp_path / "train.csv")
    test = {name: values[:50] for name, values in table().items()}
    made = table_task(tmp_path / "train.csv", "y", test=pl.DataFrame(test))
    assert made.task.parts.test_given
    assert made.task.parts.sealed.tolist() == list(range(200, 250))
    assert 0.0 <= made.profile.shift_auc <= 1.0
    assert made.profile.shared_rows == 50
    assert '"z"' in refused(tmp_path / "train.csv", "y", test={name: test[name] for name in ("x", "y")})
    assert '"maybe"' in refused(tmp_path / "train.csv", "y", test={**test, "y": ["maybe"] * 50})


def test_shift_is_seen():
    test = {**{name: values[:100] for name, values in table().items()}, "x": np.full(100, 9.0)}
    assert table_task(table(), "y", test=test).profile.shift_auc > 0.95


def test_profile_tells_columns():
    base = table()
    made = table_task({**base, "copy": base["x"], "leak": base["y"], "one": [1] * 200, "gap": [None, 5.0] * 100}, "y")
    profile = {column.name: column for column in made.profile.columns}
    assert profile["copy"].duplicate_of == "x"
    assert profile["leak"].single_score > 0.99
    assert profile["x"].single_score > 0.3
    assert profile["z"].single_score < 0.35
    assert profile["one"].kind == "constant"
    assert profile["one"].ignored
    assert profile["gap"].missing == pytest.approx(0.5, abs=0.1)
    work = made.task.parts.work
    assert profile["x"].mean == pytest.approx(base["x"][work].mean())
    assert sum(made.profile.class_counts) == made.profile.rows == len(work)


def test_single_score_of_numbers_and_classes():
    x = np.random.default_rng(0).normal(size=2000)
    made = table_task({"x": x, "n": x[::-1].copy(), "y": 3 * x + 1}, "y")
    scores = {column.name: column.single_score for column in made.profile.columns}
    assert scores["x"] > 0.95
    assert scores["n"] < 0.1
    made = table_task({"x": x, "n": x[::-1].copy(), "y": np.digitize(x, [-1, 0, 1]).astype(str)}, "y")
    scores = {column.name: column.single_score for column in made.profile.columns}
    assert scores["x"] > 0.9
    assert scores["n"] < 0.1


def test_refusals():
    assert '"y"' in refused(table(), "Y")
    assert "x, z, y" in refused(table(), None)
    assert "one value" in refused(table(y=["a"] * 200), "y")
    assert "missing in every row" in refused(table(y=[None] * 200), "y")
    assert "20 rows" in refused({name: values[:9] for name, values in table().items()}, "y")
    assert "5 rows each" in refused(table(y=["a"] * 199 + ["b"]), "y")
    assert '"z"' in refused(table(z=np.where(np.arange(200) == 7, np.inf, 1.5)), "y")
    assert "infinite" in refused(table(y=np.where(np.arange(200) == 7, np.inf, np.arange(200.0))), "y")
    assert "no column is left" in refused({"a": [1] * 30, "y": ["a", "b"] * 15}, "y")
    assert '"zz"' in refused(table(), "y", columns={"zz": "number"})
    assert '"q"' in refused(table(), "y", group="q")
    assert "cannot judge" in refused(table(), "y", metric="rmse")
    assert "different words" in refused(table(y=[f"name{i}" for i in range(200)]), "y")


def test_an_infinite_column_may_be_ignored():
    infinite = np.where(np.arange(200) == 7, np.inf, np.arange(200) * 0.5)
    made = table_task(table(z=infinite), "y", columns={"z": "ignore"})
    assert [column.name for column in made.task.data.inputs] == ["x"]


def test_look_tells_kinds_and_candidates():
    seen = look(table(name=[f"n{i}" for i in range(200)]), columns={"z": "ignore"})
    assert seen.candidates[0] == "y"
    kinds = {column["name"]: column["kind"] for column in seen.plain()["columns"]}
    assert kinds == {"x": "number", "z": "number", "y": "category", "name": "identifier"}
    assert "(identifier)" in seen.text()
    assert "(number)" in seen.text()
