"""A user's mistake gets one sentence on standard error, exit code 2, and nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from liebig.cli import _exit_code
from liebig.data.table.first_recipes import textbook
from liebig.data.table.task import table_task
from liebig.recipes import recipe_to_toml

Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Runs a command that must be refused; gives its sentence."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        before = set(tmp_path.rglob("*"))
        code = _exit_code(list(arguments))
        told = capsys.readouterr()
        assert code == 2, told
        sentences = [line for line in told.err.splitlines() if line.startswith("liebig: ")]
        assert len(sentences) == 1, told.err
        assert "Traceback" not in told.err
        assert set(tmp_path.rglob("*")) == before, "something was half-written"
        return sentences[0].removeprefix("liebig: ")

    return run


def _table(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_no_such_file_offers_the_nearest(refused: Refused, small_table: Path) -> None:
    sentence = refused("look", str(small_table.with_name("smal.csv")))
    assert "smal.csv" in sentence
    assert "small.csv" in sentence


def test_no_such_column_offers_the_nearest(refused: Refused, small_table: Path) -> None:
    sentence = refused("improve", str(small_table), "--target", "anwser", "--budget", "5s")
    assert '"anwser"' in sentence
    assert 'Did you mean "answer"?' in sentence


def test_without_a_target_the_columns_are_listed(refused: Refused, small_table: Path) -> None:
    sentence = refused("improve", str(small_table))
    assert all(name in sentence for name in ("signal", "large", "kind", "answer"))


def test_an_empty_file(refused: Refused, tmp_path: Path) -> None:
    assert "empty" in refused("look", _table(tmp_path / "void.csv", ""))


def test_one_class_only(refused: Refused, tmp_path: Path) -> None:
    rows = "\n".join(f"{i},yes" for i in range(100))
    assert "one value only" in refused("fit", _table(tmp_path / "t.csv", f"x,y\n{rows}\n"), "--target", "y")


def test_a_target_that_is_all_missing(refused: Refused, tmp_path: Path) -> None:
    rows = "\n".join(f"{i}," for i in range(100))
    assert "missing" in refused("fit", _table(tmp_path / "t.csv", f"x,y\n{rows}\n"), "--target", "y")


def test_fewer_rows_than_a_split_needs(refused: Refused, tmp_path: Path) -> None:
    assert "rows" in refused("fit", _table(tmp_path / "t.csv", "x,y\n1,a\n2,b\n3,a\n"), "--target", "y")


def test_a_file_that_is_not_what_its_name_says(refused: Refused, tmp_path: Path) -> None:
    sentence = refused("look", _table(tmp_path / "t.parquet", "x,y\n1,2\n"))
    assert "t.parquet" in sentence


def test_duplicate_column_names(refused: Refused, tmp_path: Path) -> None:
    rows = "\n".join(f"{i},{i},{i % 2}" for i in range(100))
    assert '"x"' in refused("look", _table(tmp_path / "t.csv", f"x,x,y\n{rows}\n"))


def test_an_unknown_field_of_a_recipe(refused: Refused, small_table: Path, tmp_path: Path) -> None:
    whole = recipe_to_toml(textbook(table_task(small_table, "answer")))
    recipe = _table(tmp_path / "r.toml", whole.replace("width = ", "widht = "))
    sentence = refused("fit", str(small_table), "--target", "answer", "--recipe", recipe)
    assert "r.toml" in sentence
    assert 'Did you mean "width"?' in sentence


def test_a_value_out_of_range(refused: Refused, small_table: Path) -> None:
    sentence = refused("fit", str(small_table), "--target", "answer", "--set", "network.dropout=1.4")
    assert "network.dropout" in sentence
    assert "1.4" in sentence


@pytest.mark.parametrize("flag", [["--optimizer", "adamm"], ["--activation", "gelo"], ["--set", "network.widht=3"]])
def test_names_that_do_not_exist(refused: Refused, small_table: Path, flag: list[str]) -> None:
    assert "Did you mean" in refused("fit", str(small_table), "--target", "answer", *flag)


def test_rows_without_a_target_that_lack_a_column(refused: Refused, small_table: Path, tmp_path: Path) -> None:
    bare = _table(tmp_path / "bare.csv", "signal,lrage,kind\n1,2,red\n")
    sentence = refused("improve", str(small_table), "--target", "answer", "--unlabelled", bare)
    assert sentence.startswith('the table of rows without a target lacks the column "large". Did you mean "lrage"?')
    assert "there is no file" in refused("fit", str(small_table), "--target", "answer", "--unlabelled", "none.csv")


def test_rows_without_a_target_belong_to_a_table(refused: Refused, small_table: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "pictures.npz", x_train=np.zeros((20, 8, 8), np.uint8), y_train=np.arange(20) % 2)
    sentence = refused("fit", str(tmp_path / "pictures.npz"), "--unlabelled", str(small_table))
    assert "--unlabelled is a table of rows without a target" in sentence


def test_a_loss_that_does_not_fit_the_task(refused: Refused, small_table: Path) -> None:
    assert "mse" in refused("fit", str(small_table), "--target", "answer", "--loss", "mse")


def test_a_directory_that_cannot_be_written(refused: Refused, small_table: Path) -> None:
    inside_a_file = small_table / "study"
    sentence = refused(
        "improve", str(small_table), "--target", "answer", "--budget", "20s", "--study", str(inside_a_file)
    )
    assert str(inside_a_file) in sentence


def test_a_budget_too_short_for_one_run(refused: Refused, small_table: Path) -> None:
    sentence = refused("improve", str(small_table), "--target", "answer", "--budget", "0.5s")
    assert "--budget" in sentence


@pytest.mark.parametrize("budget", ["soon", "5 parsecs", "-3s", "0"])
def test_a_budget_that_is_no_time(refused: Refused, small_table: Path, budget: str) -> None:
    assert "budget" in refused("improve", str(small_table), "--target", "answer", f"--budget={budget}")


@pytest.mark.parametrize("most", ["0", "-3", "1e-6"])
def test_answers_that_no_network_gives_in_time(refused: Refused, small_table: Path, tmp_path: Path, most: str) -> None:
    study = tmp_path / "quick"
    asked = ("improve", str(small_table), "--target", "answer", "--budget", "20s", "--study", str(study))
    assert "max_predict_ms" in refused(*asked, f"--max-predict-ms={most}")
    assert not study.exists()


def test_a_directory_that_is_no_model(refused: Refused, small_table: Path, tmp_path: Path) -> None:
    assert str(tmp_path) in refused("predict", str(tmp_path), str(small_table))


def test_nothing_is_called_so(refused: Refused) -> None:
    assert 'Did you mean "dead-units"?' in refused("explain", "dead-unit")


def test_json_tells_the_sentence_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code(["look", "nowhere.csv", "--json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["error"] in told.err
