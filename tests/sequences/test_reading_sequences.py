"""Array files, arrays and long tables as sequences, and what is said of those that cannot be read."""

import numpy as np
import polars as pl
import pytest
from sequence_cases import long_table, saved, seasonal, waves

from liebig.core.errors import UserError
from liebig.core.task import TaskKind
from liebig.data.sequences.content import SequenceData
from liebig.data.sequences.feed import filled_values
from liebig.data.sequences.task import is_sequences, new_sequences, sequence_task


def test_an_array_file_with_parts_keeps_its_test_part_sealed(tmp_path):
    found = sequence_task(saved(tmp_path / "a.npz"))
    assert found.task.kind is TaskKind.BINARY
    assert found.task.classes == ("kind 0", "kind 1")
    assert len(found.task.parts.sealed) == 20
    assert found.task.parts.test_given


def test_lengths_mask_what_is_behind_the_end(tmp_path):
    data = sequence_task(saved(tmp_path / "a.npz", ragged=True)).task.data
    assert np.isnan(data.values[~data.present]).all()
    assert not np.isnan(data.values[data.present]).any()
    assert data.holed == ()


def test_what_is_sequences_and_what_is_not(tmp_path):
    values, labels, _ = waves()
    assert is_sequences(saved(tmp_path / "a.npz"))
    assert is_sequences((values, labels))
    assert not is_sequences(pl.DataFrame({"a": [1.0]}))
    assert not is_sequences(np.zeros((30, 3)))  # a table of numbers
    np.savez(tmp_path / "p.npz", x=np.zeros((30, 16, 16), np.uint8), y=np.zeros(30))
    np.savez(tmp_path / "q.npz", x=np.full((30, 16, 16), 0.5), y=np.zeros(30))
    assert not is_sequences(tmp_path / "p.npz")
    assert not is_sequences(tmp_path / "q.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04nothing")
    assert not is_sequences(tmp_path / "broken.npz")
    assert is_sequences(tmp_path / "t.csv", series="who")


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"x_train": np.zeros((30, 5, 1, 1))}, "must hold sequences"),
        ({"x_train": np.zeros((30, 5, 2)), "x_test": np.zeros((30, 5, 3))}, "the same channels"),
        ({"x_train": np.zeros((30, 5, 2))}, "without y_train"),
        ({"x_train": np.zeros((30, 5, 2)), "y_train": np.zeros(29)}, "one entry for each sequence of x_train: 30"),
        ({"x_train": np.zeros((30, 5, 2)), "y_train": np.zeros(30), "len_train": np.full(30, 6)}, "whole numbers from 1 to 5"),
        ({"x_train": np.zeros((30, 5, 2)), "y_train": np.zeros(30), "len_train": np.full(3, 5)}, "one length for each"),
        ({"x_train": np.full((30, 5, 2), np.inf), "y_train": np.zeros(30)}, "infinite"),
        ({"x": np.zeros((30, 0, 2)), "y": np.zeros(30)}, "holds no sequence"),
        ({"x": np.zeros((5, 5, 2)), "y": np.arange(5)}, "at least 20 sequences"),
        ({"x": np.zeros((30, 5, 2)), "y": np.zeros(30)}, "one value only"),
        ({"x": np.zeros((30, 5, 2))}, "says nothing of what is wanted"),
        ({"z": np.zeros((30, 5, 2))}, "under the name x"),
    ],
)  # fmt: skip
def test_every_mistake_gets_one_sentence(tmp_path, arrays, told):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UserError, match=told) as caught:
        sequence_task(tmp_path / "a.npz")
    assert "\n" not in str(caught.value)


def test_missing_values_are_the_last_known_and_marked():
    values = np.array([[[1.0], [np.nan], [3.0], [np.nan]], [[np.nan], [2.0], [np.nan], [np.nan]]], dtype=np.float32)
    data = SequenceData(values, np.array([4, 3]), ("a",), ("1", "2"))
    assert data.holed == (0,)
    found = filled_values(data, data.holed, each=False)
    np.testing.assert_array_equal(found[0, :, 0], [1, 1, 3, 3])
    np.testing.assert_array_equal(found[0, :, 1], [0, 1, 0, 1])
    np.testing.assert_array_equal(
        found[1, :, 0], [np.nan, 2, 2, np.nan]
    )  # nothing before the first; nothing behind the end
    np.testing.assert_array_equal(found[1, :, 1], [1, 0, 1, 0])
    np.testing.assert_array_equal(found[1, :, 2], [1, 1, 1, 0])


def test_a_long_table_is_put_in_order(tmp_path):
    table = long_table()
    table.write_csv(tmp_path / "t.csv")
    found = sequence_task(tmp_path / "t.csv", "kind", series="who", time="when")
    data = found.task.data
    assert len(data) == 30
    assert found.task.classes == ("high", "low")
    assert data.channels == ("level", "other", "mood: calm", "mood: wild")
    first = table.filter(pl.col("who") == data.names[0]).sort("when")["level"].to_numpy()
    np.testing.assert_allclose(data.values[0, : len(first), 0], first, rtol=1e-6)
    assert any("missing values" in each for each in found.notes)


def test_irregular_steps_become_a_channel():
    data = sequence_task(long_table(irregular=True), "kind", series="who", time="when").task.data
    assert data.channels[-1] == "time since the step before"
    assert float(np.nanstd(data.values[:, :, -1])) > 0.1


def test_a_new_long_table_is_read_as_the_first_was():
    table = long_table()
    data = sequence_task(table, "kind", series="who", time="when").task.data
    again = new_sequences(table.drop("kind"), data.like)
    np.testing.assert_array_equal(np.nan_to_num(again.values), np.nan_to_num(data.values))
    with pytest.raises(UserError, match='needs the column "level"'):
        new_sequences(table.drop("level"), data.like)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"target": "kind", "series": "whom"}, 'no column "whom"'),
        ({"target": "kind", "series": "who", "time": "mood"}, "should hold times"),
        ({"target": "level", "series": "who", "time": "when"}, "say --horizon"),
        ({"target": None, "series": "who"}, "--target"),
        ({"target": "who", "series": "who"}, "different columns"),
        ({"target": "kind", "series": "who", "time": "same"}, "as another of their sequence"),
        ({"target": "kind", "series": "who", "time": "when", "horizon": 2}, "should be numbers to be forecast"),
        ({"target": "level", "series": "who", "time": "when", "horizon": 0}, "above 0"),
        ({"target": "level", "series": "who", "time": "when", "horizon": 20}, "need series of at least"),
    ],
)
def test_mistakes_about_long_tables(asked, told):
    table = long_table().with_columns(pl.lit(1.0).alias("same"))
    with pytest.raises(UserError, match=told):
        sequence_task(table, **asked)


def test_windows_of_one_series_never_reach_into_two_parts(tmp_path):
    pl.DataFrame({"when": np.arange(400), "y": seasonal()}).write_csv(tmp_path / "s.csv")
    found = sequence_task(tmp_path / "s.csv", "y", time="when", horizon=6)
    task, lookback = found.task, found.task.data.steps
    assert task.target.shape[1] == 6
    assert task.data.anchor == 0
    last_seen = task.time[task.parts.work].max() + 6
    first_judged = task.time[task.parts.sealed].min() - lookback
    assert last_seen <= first_judged


def test_windows_that_came_cut_are_put_in_time(tmp_path):
    series = seasonal()
    windows = np.stack([series[i : i + 24] for i in range(0, 300, 2)])[:, :, None]
    wanted = np.stack([series[i + 24 : i + 30] for i in range(0, 300, 2)])
    np.savez(tmp_path / "w.npz", x_train=windows[:100], y_train=wanted[:100], x_test=windows[120:], y_test=wanted[120:])
    task = sequence_task(tmp_path / "w.npz").task
    assert task.data.anchor == 0
    np.testing.assert_array_equal(np.diff(task.time[:100]), 2.0)
    assert task.reach == 30
    overlapping = sequence_task_of(tmp_path, windows, wanted, 90)
    assert any("overlap with the test part" in each for each in overlapping.notes)
    assert len(overlapping.task.parts.work) < 90


def sequence_task_of(folder, windows, wanted, cut):
    """Windows of which the last to learn from reach into the test part."""
    np.savez(folder / "o.npz", x_train=windows[:cut], y_train=wanted[:cut], x_test=windows[cut:], y_test=wanted[cut:])
    return sequence_task(folder / "o.npz")


def test_windows_of_different_series_are_no_time(tmp_path):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "m.npz", x=random.normal(size=(60, 12, 1)).astype(np.float32), y=random.normal(size=(60, 3)))
    assert sequence_task(tmp_path / "m.npz").task.time is None


def test_a_test_table_is_sealed():
    table = long_table()
    own, other = table.filter(pl.col("who").str.len_chars() == 3), table.filter(pl.col("who").str.len_chars() == 2)
    task = sequence_task(own, "kind", series="who", time="when", test=other).task
    assert len(task.parts.sealed) == 10
    assert len(task.parts.work) == 20


def test_new_windows_are_forecast_in_the_same_channel(tmp_path):
    series = seasonal()
    np.savez(tmp_path / "s.npz", series=series[:, None])
    like = sequence_task(tmp_path / "s.npz", horizon=6).task.data.like
    new = new_sequences(np.stack([series[: like.steps], series[5 : 5 + like.steps]])[:, :, None], like)
    assert new.anchor == 0
