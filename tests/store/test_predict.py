"""Predictions of a table of any size: every row, in order, whole or not at all."""

from __future__ import annotations

import csv
import errno
import io
import os
import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from liebig.core.arrays import Predictions
from liebig.core.errors import UserError
from liebig.core.task import TaskKind
from liebig.store import atomic
from liebig.store.predict import AnswerColumns, predict_file

BINARY = AnswerColumns(TaskKind.BINARY, ("no", "yes"))
NUMBERS = AnswerColumns(TaskKind.REGRESSION, ())


def thousandth(frame: pl.DataFrame) -> Predictions:
    return (frame["x"].cast(pl.Float64).to_numpy() / 1000).astype(np.float32)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "new.csv"
    path.write_text("x;note\n" + "".join(f'{i};"line\nbreak; {i}"\n' for i in range(1000)))
    return path


def read(path: Path) -> pl.DataFrame:
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    return pl.read_csv(path, separator="\t" if path.suffix == ".tsv" else ",")


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
@pytest.mark.parametrize("rows", [7, 1000, 5000])
def test_every_row_is_answered_in_order(source: Path, ending: str, rows: int) -> None:
    told: list[int] = []
    output = source.with_name(f"out.{ending}")
    assert predict_file(source, output, thousandth, BINARY, on_rows=told.append, rows=rows) == 1000
    answers = read(output)
    assert answers.columns == ["prediction", "probability: no", "probability: yes"]
    assert np.allclose(answers["probability: yes"], np.arange(1000) / 1000, atol=1e-6)
    assert answers["prediction"].to_list() == ["no"] * 501 + ["yes"] * 499
    assert told[-1] == 1000
    assert told == sorted(told)
    assert sorted(each.name for each in source.parent.iterdir()) == ["new.csv", output.name]


def test_numbers_and_more_classes(source: Path) -> None:
    predict_file(source, source.with_name("n.csv"), thousandth, NUMBERS)
    assert read(source.with_name("n.csv")).columns == ["prediction"]

    def three(frame: pl.DataFrame) -> Predictions:
        return np.tile(np.array([0.2, 0.5, 0.3], dtype=np.float32), (frame.height, 1))

    columns = AnswerColumns(TaskKind.MULTICLASS, ("a", "b, c", 'd"'))
    predict_file(source, source.with_name("c.csv"), three, columns)
    with source.with_name("c.csv").open(newline="") as file:
        header, *answers = csv.reader(file)
    assert header == ["prediction", "probability: a", "probability: b, c", 'probability: d"']
    assert {row[0] for row in answers} == {"b, c"}


def test_a_dataframe_and_an_open_file(source: Path) -> None:
    file = io.BytesIO()
    assert predict_file(pl.DataFrame({"x": [1, 2], "y": [3, 4]}), file, thousandth, NUMBERS) == 2
    assert file.getvalue().decode().splitlines()[0] == "prediction"
    assert np.allclose(pl.read_csv(file.getvalue())["prediction"], [0.001, 0.002])


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_mistake_on_the_way_leaves_nothing(source: Path, name: str) -> None:
    def fails(frame: pl.DataFrame) -> Predictions:
        if frame["x"][0] != "0":
            raise UserError("the column is missing")
        return thousandth(frame)

    output = source.with_name(name)
    output.write_text("before")
    with pytest.raises(UserError, match="the column is missing"):
        predict_file(source, output, fails, NUMBERS, rows=300)
    assert output.read_text() == "before"
    assert sorted(each.name for each in source.parent.iterdir()) == ["new.csv", name]


def test_what_cannot_be_written_is_one_sentence(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"written as .csv, .tsv, .parquet, .pq, however"):
        predict_file(source, source.with_name("out.xlsx"), thousandth, NUMBERS)
    with pytest.raises(UserError, match="cannot be written"):
        predict_file(source, source / "out.csv", thousandth, NUMBERS)

    def full(*paths: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic.os, "replace", full)
    with pytest.raises(UserError, match="no space left on device"):
        predict_file(source, source.with_name("out.csv"), thousandth, NUMBERS)
    assert [each.name for each in source.parent.iterdir()] == ["new.csv"]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        source = tmp_path / f"{rows}.csv"
        source.write_text("x,y\n" + f"1,{'long ' * 400}\n" * rows)  # beyond the head by which a file is known
        tracemalloc.start()
        predict_file(source, tmp_path / "out.csv", thousandth, BINARY, rows=100)
        reached = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return reached

    assert peak(10_000) < 1.2 * peak(1_000)
