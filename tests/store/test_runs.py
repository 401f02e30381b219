"""Run directories: numbered, whole, found by the names that people use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bare_recipes import bare_from_toml, bare_recipe, bare_to_toml

from liebig.core.errors import UserError
from liebig.core.evidence import Evidence, InitialLoss
from liebig.core.run import Ending, Outcome
from liebig.core.task import TaskKind
from liebig.store import runs
from liebig.store.runs import RunDirectory, RunManifest, is_run, run_at, runs_in


@pytest.fixture(autouse=True)
def _without_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "recipe_to_toml", bare_to_toml)
    monkeypatch.setattr(runs, "recipe_from_toml", bare_from_toml)


MANIFEST = RunManifest(
    "adult", "adult.csv", {"target": "income"}, "income", TaskKind.BINARY, ("no", "yes"), "roc_auc", True, 0,
    Outcome(Ending.STOPPED_EARLY, 400, "nothing better for 8 epochs"), 12, 3.5, 0.9, 0.01, 1000, 200,
    "2026-01-01T00:00:00+00:00", {"liebig": "0.1.0"},
)  # fmt: skip
EVIDENCE = Evidence((InitialLoss(float("nan"), 0.7, 1.0, 0.0),))


def written(folder: Path) -> RunDirectory:
    run = RunDirectory.create(folder)
    run.write(MANIFEST, bare_recipe(), EVIDENCE)
    return run


def test_what_is_written_is_read(tmp_path: Path) -> None:
    run = written(tmp_path / "adult-runs")
    assert run.path == tmp_path / "adult-runs" / "1"
    assert run.manifest() == MANIFEST
    assert run.recipe() == bare_recipe()
    assert str(run.evidence()) == str(EVIDENCE)
    json.loads((run.path / "evidence.json").read_text(), parse_constant=pytest.fail)
    assert {each.name for each in run.path.iterdir()} == {"run.json", "recipe.toml", "evidence.json"}


def test_runs_are_numbered_and_listed_by_number(tmp_path: Path) -> None:
    folder = tmp_path / "adult-runs"
    for number in range(1, 12):
        assert written(folder).path.name == str(number)
    RunDirectory.create(folder)  # begun, not written
    assert [run.path.name for run in runs_in(folder)] == [str(number) for number in range(1, 12)]
    assert not is_run(folder / "12")
    assert runs_in(tmp_path / "absent") == ()


def test_runs_are_found_by_the_names_that_people_use(tmp_path: Path) -> None:
    folder = tmp_path / "adult-runs"
    written(folder), written(folder)
    for said in ("1", "runs/1", "adult-runs/1", str(folder / "1")):
        assert run_at(said, tmp_path).path.resolve() == (folder / "1").resolve()
    assert run_at("adult-runs", tmp_path).path.name == "2"
    with pytest.raises(UserError, match=r'there is no run "runs/7"; there are ".*adult-runs/1", ".*adult-runs/2"'):
        run_at("runs/7", tmp_path)
    written(tmp_path / "letter-runs")
    with pytest.raises(UserError, match=r'"runs/1" could be ".*adult-runs/1", ".*letter-runs/1"'):
        run_at("runs/1", tmp_path)
    assert run_at("2", tmp_path).path.name == "2"
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match='"other" is no run'):
        run_at("other", tmp_path)


def test_what_cannot_be_read_or_written_is_one_sentence(tmp_path: Path) -> None:
    run = written(tmp_path / "adult-runs")
    (run.path / "evidence.json").write_text("{")
    with pytest.raises(UserError, match=r'evidence.json" is damaged'):
        run.evidence()
    (run.path / "run.json").unlink()
    with pytest.raises(UserError, match=r"is not whole: run\.json cannot be read"):
        run.manifest()
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot be written"):
        RunDirectory.create(tmp_path / "file" / "runs")
