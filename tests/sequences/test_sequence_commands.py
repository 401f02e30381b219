"""Sequences through the verbs, as a user calls them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from sequence_cases import long_table, saved, seasonal, waves

import liebig
from liebig.core.errors import UserError
from liebig.core.study import Explained
from liebig.data.sequences import first_recipes
from liebig.store.ledger import read_study

pytestmark = pytest.mark.end_to_end
SHORT = ("stopping.epochs=6", "network.width=16")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    # What is trained by the way is short: that it is trained is what counts here.
    monkeypatch.setattr(first_recipes, "_MOST_EPOCHS", 8)
    monkeypatch.setattr(first_recipes, "_LEAST_EPOCHS", 4)
    monkeypatch.setattr(first_recipes, "_CAP", 6)


def test_a_fit_learns_and_predicts_arrays_and_files(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.npz", 150, ragged=True)
    run = liebig.fit(path, changes=("stopping.epochs=15", "network.width=16"), on_event=liebig.silent)
    assert run.recipe.network.kind == "temporal-cnn"
    assert run.score >= 0.85
    assert run.diagnose().findings is not None
    model = liebig.load(run.path)
    values, labels, _ = waves(40, seed=5)
    assert (model.predict(values) == np.array(["kind 0", "kind 1"])[labels]).mean() >= 0.85
    assert model.predict_proba(values).shape == (40, 2)
    assert model.predict_file(str(path), "out.csv") == 150
    written = pl.read_csv("out.csv")
    assert written.columns == ["sequence", "prediction", "probability: kind 0", "probability: kind 1"]
    assert written["sequence"][0] == "x_train[0]"
    with pytest.raises(UserError, match="at most 24 steps"):
        model.predict(np.zeros((2, 30, 2), np.float32))
    with pytest.raises(UserError, match="2 channels"):
        model.predict(np.zeros((2, 24, 3), np.float32))
    with pytest.raises(UserError, match="arrays of sequences"):
        model.predict("out.csv")


@pytest.mark.parametrize("network", ["lstm", "gru", "rnn", "transformer", "mlp"])
def test_every_network_trains_by_name(network: str) -> None:
    values, labels, _ = waves(60)
    run = liebig.fit((values, labels), changes=(f"network={network}", *SHORT), on_event=liebig.silent)
    assert run.recipe.network.kind == network
    assert np.isfinite(run.score)


def test_summaries_train_an_mlp() -> None:
    values, labels, _ = waves(120)
    changes = ("network=mlp", "inputs.read=summary", "stopping.epochs=20")
    assert liebig.fit((values, labels), changes=changes, on_event=liebig.silent).score >= 0.8


def test_a_study_keeps_other_algorithms_and_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.npz", 90)
    study = liebig.improve(path, budget="15s", study=tmp_path / "study", on_event=liebig.silent)
    ledger = read_study(tmp_path / "study")
    assert ledger.sealed is not None
    assert any(isinstance(each, Explained) for each in ledger.entries)
    assert (tmp_path / "study" / "report.html").is_file()
    values, labels, _ = waves(40, seed=5)
    assert (study.best.predict(values) == np.array(["kind 0", "kind 1"])[labels]).mean() >= 0.7


def test_a_long_table_from_end_to_end(tmp_path: Path) -> None:
    long_table(60, irregular=True).write_csv(tmp_path / "t.csv")
    run = liebig.fit("t.csv", "kind", series="who", time="when", changes=SHORT, on_event=liebig.silent)
    new = long_table(10, seed=4, irregular=True).drop("kind")
    found = liebig.load(run.path).predict(new)
    assert found.shape == (10,)
    assert set(found.tolist()) <= {"high", "low"}


def test_a_forecast_from_end_to_end(tmp_path: Path) -> None:
    pl.DataFrame({"when": np.arange(600), "y": seasonal(600)}).write_csv(tmp_path / "s.csv")
    run = liebig.fit("s.csv", "y", time="when", horizon=6, changes=("stopping.epochs=4",), on_event=liebig.silent)
    assert run.score < 1.5  # of 2.1 around the mean
    later = pl.DataFrame({"when": np.arange(200), "y": seasonal(200)})
    model = liebig.load(run.path)
    answers = model.predict(later)
    assert answers.shape == (1, 6)
    at = np.arange(200, 206)
    assert np.abs(answers[0] - (10 + 3 * np.sin(2 * np.pi * at / 12))).mean() < 1.5
    later.write_csv("later.csv")
    assert model.predict_file("later.csv", "out.csv") == 1
    assert pl.read_csv("out.csv").columns == ["sequence", *(f"step {i}" for i in range(1, 7))]
    with pytest.raises(UserError, match="the last"):
        model.predict(later.head(5))


def test_a_study_of_forecasts(tmp_path: Path) -> None:
    pl.DataFrame({"when": np.arange(500), "y": seasonal(500)}).write_csv(tmp_path / "s.csv")
    study = liebig.improve(
        "s.csv", "y", time="when", horizon=4, trials=1, study=tmp_path / "study", on_event=liebig.silent
    )  # fmt: skip
    assert study.best.predict(pl.DataFrame({"when": np.arange(200), "y": seasonal(200)})).shape == (1, 4)


def test_a_look_tells_what_there_is(tmp_path: Path) -> None:
    told = str(liebig.look(saved(tmp_path / "w.npz", ragged=True)))
    assert "60 sequences, 2 channels" in told
    assert "steps   12 to 24" in told or "steps" in told
    assert "kind 0" in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"columns": {"a": "number"}}, "--columns belongs to a table"),
        ({"size": 32}, "--size is for pictures"),
        ({"series": "who"}, "however .* holds arrays"),
        ({"lookback": 5}, "--lookback belongs to --horizon"),
        ({"horizon": 5}, "a whole series"),
    ],
)
def test_mistakes_get_one_sentence(tmp_path: Path, options: dict[str, object], told: str) -> None:
    path = saved(tmp_path / "w.npz")
    with pytest.raises(UserError, match=told):
        liebig.fit(path, on_event=liebig.silent, **options)
    assert not list(tmp_path.glob("*-runs"))


def test_a_model_of_a_table_is_not_asked_for_sequences_options(tmp_path: Path) -> None:
    pl.DataFrame({"a": np.arange(30.0), "b": ["x", "y"] * 15}).write_csv(tmp_path / "t.csv")
    with pytest.raises(UserError, match="--lookback belongs to --horizon"):
        liebig.fit("t.csv", "b", lookback=3, on_event=liebig.silent)
