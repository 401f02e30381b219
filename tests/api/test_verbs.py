"""The verbs on a small table, as a user calls them."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import liebig
from liebig.cli import _exit_code
from liebig.core.errors import UserError
from liebig.core.event import EpochEnded, Event, RateLowered, Stopped, TrialJudged
from liebig.core.run import Ending
from liebig.core.study import Challenged, Combined, Diagnosed, Ran
from liebig.store.ledger import read_study

pytestmark = pytest.mark.end_to_end


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def study(small_table: Path, tmp_path_factory: pytest.TempPathFactory) -> liebig.ImprovedStudy:
    """One study, made once: a count of trials in place of a time."""
    return liebig.improve(small_table, "answer", trials=4, study=tmp_path_factory.mktemp("made") / "study", seed=1)


def test_fit_writes_a_run_that_the_other_verbs_read(small_table: Path) -> None:
    events: list[Event] = []
    run = liebig.fit(small_table, "answer", changes=("stopping.epochs=3",), on_event=events.append)
    assert run.path == Path("small-runs/1")
    assert 0.5 < run.score <= 1.0
    assert [each.epoch for each in events if isinstance(each, EpochEnded) and each.member == 0] == [0, 1, 2]
    assert any(isinstance(each, Stopped) for each in events)
    assert liebig.diagnose("small-runs/1").findings == run.diagnose().findings
    model = liebig.load("small-runs/1")
    frame = pl.read_csv(small_table)
    probabilities = model.predict_proba(frame.drop("answer"))
    assert probabilities.shape == (400, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)
    assert set(model.predict(frame)) <= set(model.classes_)
    assert liebig.fit(small_table, "answer", changes=("stopping.epochs=2",)).path == Path("small-runs/2")


def test_rows_without_a_target_are_pretrained_on(small_table: Path) -> None:
    bare = pl.read_csv(small_table).drop("answer")
    changes = ("stopping.epochs=2", "techniques.masked-features=on", "techniques.masked-features.epochs=2")
    own = liebig.fit(small_table, "answer", changes=changes)
    more = liebig.fit(small_table, "answer", changes=changes, unlabelled=bare)
    bare.write_csv("bare.csv")
    assert _exit_code(["fit", str(small_table), "--target", "answer", "--unlabelled", "bare.csv",
                       *(word for each in changes for word in ("--set", each))]) == 0  # fmt: skip
    told, commanded = (liebig.load(each).predict_proba(bare) for each in (more.path, Path("small-runs/3")))
    np.testing.assert_array_equal(told, commanded)
    assert not np.array_equal(told, liebig.load(own.path).predict_proba(bare))


def test_a_run_is_probed_when_asked(small_table: Path, study: liebig.ImprovedStudy) -> None:
    run = liebig.fit(small_table, "answer", changes=("stopping.epochs=3",))
    before = liebig.diagnose(run.path)
    assert not before.probed
    assert before.notes[-1].endswith(f"liebig diagnose {run.path} --probe")
    probed = liebig.diagnose(run.path, probe=True)
    assert probed.probed
    assert "Experiments on a copy of the network took" in probed.notes[-1]
    assert liebig.diagnose(run.path).findings == probed.findings, "what was measured is kept with the run"
    with pytest.raises(UserError, match="a run of liebig fit"):
        liebig.diagnose(study.path, probe=True)


def test_a_table_that_changed_is_not_probed(small_table: Path) -> None:
    frame = pl.read_csv(small_table)
    run = liebig.fit(frame, "answer", changes=("stopping.epochs=2",))
    assert run.diagnose(probe=True).probed, "the table is at hand"
    with pytest.raises(UserError, match="a dataframe, which is not kept"):
        liebig.diagnose(run.path, probe=True)
    frame.write_csv("mine.csv")
    run = liebig.fit("mine.csv", "answer", changes=("stopping.epochs=2",))
    frame.head(300).write_csv("mine.csv")
    with pytest.raises(UserError, match=r"must be as it was .* 300 rows"):
        liebig.diagnose(run.path, probe=True)


def test_a_study_is_diagnosed_as_its_report_tells_it(study: liebig.ImprovedStudy) -> None:
    ledger = study.ledger
    # It may have been diagnosed once more, when it was known what more rows would bring.
    note = [each for each in ledger.all(Diagnosed) if each.digest == ledger.incumbent][-1]
    for said in (study.path, study):
        told = liebig.diagnose(said)
        assert [(each.check.name, each.strength) for each in told.findings] == [
            (each.check, each.strength) for each in note.findings
        ]
        assert dict(told.others) == dict(note.others)


def test_a_saved_model_answers_the_same(small_table: Path, study: liebig.ImprovedStudy) -> None:
    study.best.save("model")
    before, after = study.best.predict_proba(small_table), liebig.load("model").predict_proba(small_table)
    np.testing.assert_array_equal(before, after)


def test_why_the_rate_fell_is_told(small_table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Event] = []
    changes = ("schedule=plateau", "schedule.patience=0", "stopping=early-stopping", "stopping.epochs=12")
    liebig.fit(small_table, "answer", recipe="textbook", changes=changes, on_event=told.append)
    lowered = [each for each in told if isinstance(each, RateLowered)]
    assert lowered
    assert all(each.after < each.before and "not improved" in each.reason for each in lowered)
    assert _exit_code(["fit", str(small_table), "--target", "answer", "--epochs", "2", "--verbose", "0", "--json"]) == 0
    streams = capsys.readouterr()
    assert json.loads(streams.out)["epochs"] == 2
    assert streams.err == ""


def test_a_listener_may_stop_and_cannot_change(small_table: Path) -> None:
    def stop(event: Event) -> liebig.Stop | None:
        if not isinstance(event, EpochEnded):
            return None
        with pytest.raises(dataclasses.FrozenInstanceError):
            event.epoch = 7  # type: ignore[misc]
        return liebig.Stop("enough")

    run = liebig.fit(small_table, "answer", on_event=stop)
    assert run.manifest.outcome.ending is Ending.ASKED
    assert run.model is not None


def test_a_study_hands_over_a_model_and_a_report(small_table: Path, study: liebig.ImprovedStudy) -> None:
    assert study.ledger.is_closed
    assert (study.path / "report.html").stat().st_size > 10_000
    assert study.best.predict_proba(small_table).shape == (400, 2)
    plain = study.as_json()
    assert plain["model"].endswith("model")
    assert "<" in study._repr_html_()
    assert study.summary().splitlines()[-1].startswith("report")


def test_the_same_seed_gives_the_same_study(small_table: Path, study: liebig.ImprovedStudy) -> None:
    again = liebig.improve(small_table, "answer", trials=4, study="again", seed=1)
    verdicts = [[(each.treatment.name, each.verdict) for each in one.ledger.trials] for one in (study, again)]
    assert verdicts[0] == verdicts[1]
    assert study.ledger.sealed is not None
    assert again.ledger.sealed is not None
    assert again.ledger.sealed.final_score == pytest.approx(study.ledger.sealed.final_score, abs=1e-6)


def test_a_closed_study_is_not_gone_on_with_but_begun_from(small_table: Path, study: liebig.ImprovedStudy) -> None:
    with pytest.raises(liebig.UserError, match="closed"):
        liebig.improve(resume=study.path)
    new = liebig.improve(begin_from=study.path, trials=1, study="new")
    assert study.ledger.sealed is not None
    assert new.ledger.baseline == study.ledger.network_of(study.ledger.sealed.handed_over)


def test_only_networks_and_a_bound_on_answering(small_table: Path) -> None:
    done = liebig.improve(small_table, "answer", trials=2, study="bound", only_networks=True, max_predict_ms=1e4)
    assert not list(done.ledger.all(Challenged))
    together = done.ledger.last(Combined)
    assert together is None or all(each.is_network for each in together.members)
    assert done.ledger.began.options["max_predict_ms"] == "10000.0"
    assert sum(done.best.members.values()) == pytest.approx(1.0)


def test_a_combination_is_handed_over_whole(small_table: Path) -> None:
    """Targets that no single model sees as well as their mean does: whatever is handed over, it is what the ledger says."""
    done = liebig.improve(small_table, "answer", trials=3, study="whole", refit="all")
    sealed, together = done.ledger.sealed, done.ledger.last(Combined)
    assert sealed is not None
    assert together is not None
    names = {each.name for each in together.members} if sealed.handed_over == together.digest else {sealed.handed_over}
    recipes = done.ledger.recipes
    if together.digest != sealed.handed_over:
        assert len(done.best.members) == 1
    else:
        assert len(done.best.members) == len(names)
        assert {each for each in done.best.members if each not in recipes} >= names - set(recipes)


def _runs_of(study: Path) -> int:
    """Runs in a study that may be coming into being at this moment."""
    try:
        return len(list(read_study(study).all(Ran)))
    except liebig.UserError:
        return 0


def test_a_killed_study_goes_on(small_table: Path) -> None:
    code = f"import liebig; liebig.improve({str(small_table)!r}, 'answer', trials=4, study='killed', seed=1)"
    working = subprocess.Popen([sys.executable, "-c", code], env=os.environ, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and working.poll() is None:
        if _runs_of(Path("killed")) >= 4:
            break
        time.sleep(0.05)
    with pytest.raises(liebig.UserError, match=str(working.pid)):
        liebig.improve(resume="killed")
    working.send_signal(signal.SIGKILL)
    working.wait()
    before = read_study(Path("killed")).entries
    done = liebig.improve(resume="killed")
    assert done.ledger.is_closed
    assert len(done.ledger.entries) > len(before)
    assert [type(each) for each in done.ledger.entries[: len(before)]] == [type(each) for each in before]


def test_compare_recipes_and_runs(small_table: Path) -> None:
    told: list[Event] = []
    compared = liebig.compare(
        small_table, "textbook", "starting", target="answer", blocks=3, budget="120s", on_event=told.append
    )
    assert set(compared.verdicts) == {"starting"}
    assert any(isinstance(each, TrialJudged) for each in told)
    assert compared.report("c.html").stat().st_size > 5_000
    for recipe in ("textbook", "starting"):
        liebig.fit(small_table, "answer", recipe=recipe, changes=("stopping.epochs=2",))
    curves = liebig.compare("small-runs/1", "small-runs/2", curves_only=True)
    assert "small-runs/2" in curves.summary()


def test_predict_streams_to_files(small_table: Path, study: liebig.ImprovedStudy) -> None:
    assert _exit_code(["predict", str(study.path), str(small_table), "-o", "answers.parquet"]) == 0
    assert pl.read_parquet("answers.parquet").height == 400


def test_regression_and_many_classes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(300, 3))
    numbers = {"a": x[:, 0], "b": x[:, 1], "y": 1e5 + 1e4 * x[:, 0] + 1e3 * x[:, 2]}
    run = liebig.fit(pl.DataFrame(numbers), "y", changes=("stopping.epochs=4",))
    assert run.manifest.metric == "rmse"
    classes = {"a": x[:, 0], "b": x[:, 1], "y": np.array(["p", "q", "r"])[np.digitize(x[:, 0], [-0.5, 0.5])]}
    many = liebig.fit(pl.DataFrame(classes), "y", changes=("stopping.epochs=4",))
    assert many.manifest.metric == "accuracy"
    assert many.model is not None
    assert many.model.predict_proba(pl.DataFrame(classes)).shape == (300, 3)


def test_help_is_instant_and_imports_no_torch() -> None:
    code = (
        "import sys; from liebig.cli import app; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'polars', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
