"""Pictures through the verbs, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from picture_cases import bars, folder
from PIL import Image

import liebig
from liebig.cli import _exit_code
from liebig.core.errors import UserError
from liebig.core.evidence import (
    AugmentedPictures,
    Confusion,
    NearDuplicates,
    PictureProfile,
    SuspectLabels,
    WorstPictures,
)
from liebig.core.study import Explained, Profiled
from liebig.store.ledger import read_study

pytestmark = pytest.mark.end_to_end


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> liebig.ImprovedStudy:
    """One study of a folder with a broken file, made once."""
    torch.set_num_threads(1)
    place = folder(tmp_path_factory.mktemp("made") / "bars", 96)
    (place / "lying" / "words.jpg").write_text("this is no picture")
    (place / "upright" / "copy.png").write_bytes((place / "lying" / "001.png").read_bytes())
    found = liebig.improve(place, budget="20s", study=place.parent / "study", cache="none", on_event=liebig.silent)
    assert isinstance(found, liebig.ImprovedStudy)
    return found


def test_the_starting_recipe_learns_and_its_run_is_read_by_the_other_verbs(tmp_path: Path) -> None:
    pixels, labels = bars(240, seed=3)
    run = liebig.fit((pixels, labels), changes=("stopping.epochs=8",), run=tmp_path / "run", on_event=liebig.silent)
    assert run.score >= 0.85
    assert run.recipe.network.kind == "whitened-cnn"
    assert run.evidence.get(PictureProfile) is not None
    assert run.diagnose().findings is not None
    model = liebig.load(tmp_path / "run")
    new, truth = bars(60, seed=9)
    assert (model.predict(new).astype(int) == truth).mean() >= 0.85
    shares = model.predict_proba(new)
    assert shares.shape == (60, 2)
    np.testing.assert_allclose(shares.sum(1), 1.0, atol=1e-5)


def test_a_study_tells_limits_proves_and_shows_pictures(study: liebig.ImprovedStudy) -> None:
    ledger = read_study(study.path)
    assert ledger.sealed is not None
    seen = [each.what for each in ledger.all(Explained)]
    for kind in (WorstPictures, Confusion, NearDuplicates):
        assert any(isinstance(each, kind) for each in seen), kind
    profiled = ledger.last(Profiled)
    assert profiled is not None
    profile = profiled.evidence.get(PictureProfile)
    assert profile is not None
    assert profile.broken == 1
    page = (study.path / "report.html").read_text()
    assert "The worst pictures" in page
    assert "What is taken for what" in page
    assert "The same picture again" in page
    assert "the labels differ" in page
    if any(isinstance(each, SuspectLabels) for each in seen):
        assert "Labels to look at" in page
    assert "data:image/png;base64," in page
    final = ledger.recipes[ledger.network_of(ledger.sealed.handed_over)].recipe
    if any(each.kind in {"random-crop", "cutout"} for each in final.techniques):
        assert any(isinstance(each, AugmentedPictures) for each in seen)
        assert "What augmentation does" in page


def test_what_is_handed_over_predicts_folders_files_and_arrays(study: liebig.ImprovedStudy, tmp_path: Path) -> None:
    place = folder(tmp_path / "new", 12, side=20, ending="jpg", seed=4)
    (place / "broken.png").write_bytes(b"")
    assert len(study.best.predict(place)) == 12
    assert set(study.best.predict(place)) <= set(study.best.classes_)
    rows = study.best.predict_file(str(place), tmp_path / "out.csv")
    told = pl.read_csv(tmp_path / "out.csv")
    assert rows == len(told) == 13
    assert told["file"].to_list()[-1] == "broken.png"
    assert told[told.columns[1]].null_count() == 1
    assert len(study.best.predict(next(place.rglob("*.jpg")))) == 1
    with pytest.raises(UserError, match="this model reads pictures"):
        study.best.predict(pl.DataFrame({"a": [1, 2]}))


def test_arrays_of_another_size_are_refused(study: liebig.ImprovedStudy) -> None:
    with pytest.raises(UserError, match="reads pictures of 12 x 12 pixels"):
        study.best.predict(np.zeros((3, 20, 20, 3), np.uint8))


def test_the_command_line_takes_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = folder(tmp_path / "photos", 60)
    assert _exit_code(["fit", str(place), "--epochs", "2", "--verbose", "0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["epochs"] == 2
    assert _exit_code(["look", str(place)]) == 0
    assert "60 pictures, colour" in capsys.readouterr().out
    assert _exit_code(["predict", told["run"], str(place), "-o", "out.csv"]) == 0
    assert len(pl.read_csv("out.csv")) == 60


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--columns", "a=number"], "--columns belongs to a table"),
        (["--size", "3"], "from 8 to"),
        (["--cache", "much"], "such as 2GiB"),
        (["--recipe", "table.toml"], "inputs of kind pictures are needed"),
        (["--set", "network=mlp", "--set", "inputs=table"], "pictures"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    place = folder(tmp_path / "photos", 24)
    (tmp_path / "table.toml").write_text('[inputs]\nkind = "table"\n[network]\nkind = "mlp"\n')
    assert _exit_code(["fit", str(place), *words]) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.glob("*-runs"))


def test_what_is_for_pictures_is_refused_for_tables(tmp_path: Path) -> None:
    pl.DataFrame({"a": [i % 7 + 0.5 for i in range(60)], "b": ["x", "y"] * 30}).write_csv("table.csv")
    with pytest.raises(UserError, match="--size is for pictures"):
        liebig.fit("table.csv", "b", size=32)
    with pytest.raises(UserError, match="reads pictures"):
        liebig.fit("table.csv", "b", changes=("network=plain-cnn",))


def test_two_recipes_are_compared(tmp_path: Path) -> None:
    pixels, labels = bars(120, seed=5)
    (tmp_path / "plain.toml").write_text(
        '[network]\nkind = "plain-cnn"\nwidth = 8\n[stopping]\nkind="epochs"\nepochs=3\n'
    )
    (tmp_path / "dense.toml").write_text('[stopping]\nkind="epochs"\nepochs=3\n')
    compared = liebig.compare((pixels, labels), recipes=["plain.toml", "dense.toml"], blocks=3, budget="60s")
    assert "plain" in compared.summary()


def test_numbers_are_learnt_from_pictures(tmp_path: Path) -> None:
    place, rng = tmp_path / "tones", np.random.default_rng(0)
    place.mkdir()
    tones = rng.uniform(20, 230, 80)
    for i, tone in enumerate(tones):
        noisy = np.clip(tone + rng.normal(0, 8, (10, 10, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(place / f"{i}.png")
    frame = pl.DataFrame({"file": [f"tones/{i}.png" for i in range(80)], "tone": tones / 100})
    frame.write_csv("tones.csv")
    run = liebig.fit("tones.csv", "tone", recipe="textbook", changes=("stopping.epochs=60",), on_event=liebig.silent)
    assert run.manifest.metric == "rmse"
    assert run.score < 0.4  # their spread is 0.6
