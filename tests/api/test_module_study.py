"""`improve` on a user's own network: from the task to the model on disk, and on from an interrupted study."""

import runpy
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

import liebig
from liebig.api.module import named_task
from liebig.api.module_improving import script_of
from liebig.coach.module_advising import shared_rows
from liebig.core.errors import UserError
from liebig.core.event import Stop, TrialJudged
from liebig.core.study import Diagnosed

IMAGES, LABELS = (torch.as_tensor(each) for each in load_digits(return_X_y=True))
IMAGES = IMAGES.float()


def build():
    return nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10))


def task(**changes):
    given = {"train": (IMAGES[:900], LABELS[:900]), "batch_size": 64, "epochs": 3, **changes}
    return liebig.module(build, **given)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return liebig.improve(task(), trials=2, study=tmp_path_factory.mktemp("module") / "study")


def test_a_study_hands_over_an_ordinary_module(study):
    best = study.best
    assert isinstance(best.module, nn.Module)
    assert (best.predict(IMAGES[900:]) == LABELS[900:].numpy()).mean() > 0.7
    assert best.predict_proba(IMAGES[900:905]).shape == (5, 10)
    assert "accuracy" in study.summary()
    assert (study.path / "report.html").is_file()


def test_it_is_saved_and_loaded(study, tmp_path):
    study.best.save(tmp_path / "model")
    again = liebig.load(tmp_path / "model", build=build)
    np.testing.assert_array_equal(again.predict(IMAGES[:50]), study.best.predict(IMAGES[:50]))
    with pytest.raises(UserError, match="build="):
        liebig.load(tmp_path / "model")


def test_another_network_is_refused(study):
    with pytest.raises(UserError, match=r"build must make the network that was saved \(.*:build\), however"):
        liebig.load(study.path, build=lambda: nn.Linear(64, 10))


def test_going_on_needs_to_know_with_what():
    with pytest.raises(UserError, match="resume=True needs the study to go on with"):
        liebig.improve(task(), resume=True)


def test_a_study_is_told_in_a_line(study):
    assert repr(study).startswith(f"<liebig study {study.path}: ")
    assert "\n" not in repr(study)


def test_the_page_of_a_users_network_names_its_script_and_no_digests(study):
    page = (study.path / "report.html").read_text()
    assert "<code>train.py</code> in the study trains it without Liebig" in page
    assert "liebig fit --recipe" not in page
    assert study.ledger.began.options["code"] not in page
    assert "test_module_study.py:build" in page


def test_the_script_trains_without_liebig(study, tmp_path):
    path = tmp_path / "script.py"
    path.write_text((study.path / "train.py").read_text())
    assert "liebig" not in [
        line.split()[1].split(".")[0] for line in path.read_text().splitlines() if line.startswith("import")
    ]
    script = runpy.run_path(str(path), run_name="script")
    network = script["train"](torch.utils.data.TensorDataset(IMAGES[:900], LABELS[:900]), None)
    assert float((network.eval()(IMAGES[900:]).argmax(1) == LABELS[900:]).float().mean()) > 0.7


def test_the_script_of_the_baseline_compiles():
    found = task()
    compile(script_of(found, found.baseline), "script", "exec")


def test_an_interrupted_study_goes_on(tmp_path):
    def stop(event):
        if isinstance(event, TrialJudged):
            raise RuntimeError("the machine went down")

    with pytest.raises(RuntimeError):
        liebig.improve(task(), trials=2, study=tmp_path / "study", on_event=stop)
    with pytest.raises(UserError, match="rows"):
        liebig.improve(task(train=(IMAGES[:800], LABELS[:800])), study=tmp_path / "study", resume=True)
    with pytest.raises(UserError, match="training"):
        liebig.improve(task(epochs=4), study=tmp_path / "study", resume=True)
    done = liebig.improve(task(), study=tmp_path / "study", resume=True)
    assert done.ledger.is_closed
    with pytest.raises(UserError, match="closed"):
        liebig.improve(task(), study=tmp_path / "study", resume=True)


def test_a_users_stop_ends_with_a_model(tmp_path):
    done = liebig.improve(
        task(), budget="60s", study=tmp_path / "study", on_event=lambda event: Stop("enough") if isinstance(event, TrialJudged) else None
    )  # fmt: skip
    assert done.best.module is not None


PROJECT = """
import torch, liebig
from torch import nn
x = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
def build():
    return nn.Linear(4, 1)
task = liebig.module(build, train=(x, x[:, :1]), loss=nn.MSELoss(), optimizer=torch.optim.SGD, epochs=2)
other = 3
"""


def test_the_command_line(tmp_path):
    (tmp_path / "my_project.py").write_text(PROJECT)
    command = [sys.executable, "-m", "liebig.cli", "improve", "my_project.py:task", "--trials", "1", "--study", "s"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "s" / "model" / "manifest.json").is_file()


def test_a_task_without_a_name_is_called_as_its_file(tmp_path):
    (tmp_path / "my_project.py").write_text(PROJECT)
    found = named_task(f"{tmp_path / 'my_project.py'}:task")
    assert found.task.name == "my_project"


def test_what_is_no_task_is_told(tmp_path):
    (tmp_path / "my_project.py").write_text(PROJECT)
    for name, words in (("tusk", "task"), ("other", "liebig.module")):
        with pytest.raises(UserError, match=words):
            named_task(f"{tmp_path / 'my_project.py'}:{name}")
    with pytest.raises(UserError, match="no file"):
        named_task("nowhere.py:task")


def test_what_belongs_to_a_table_is_refused():
    with pytest.raises(UserError, match="target"):
        liebig.improve(task(), target="y")


def test_a_fault_in_the_code_is_among_the_findings(tmp_path):
    def twice():
        return nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10), nn.Softmax(1))

    found = liebig.module(
        twice, train=(IMAGES[:600], LABELS[:600]), loss=nn.CrossEntropyLoss(), batch_size=64, epochs=2
    )
    done = liebig.improve(found, trials=1, study=tmp_path / "study")
    assert "loss-output-mismatch" in {note.check for entry in done.ledger.all(Diagnosed) for note in entry.findings}


def test_validation_rows_that_were_trained_on_are_counted():
    found = task(
        train=(IMAGES[:900], LABELS[:900]),
        valid=(IMAGES[700:1100], LABELS[700:1100]),
        test=(IMAGES[1100:], LABELS[1100:]),
    )
    assert shared_rows(found).share == pytest.approx(0.5, abs=0.02)


def test_a_new_study_begins_from_a_winner_with_other_rows_sealed(study, tmp_path):
    found = task()
    winner = study.ledger.sealed.handed_over
    again = liebig.improve(found, begin_from=study.path, trials=1, study=tmp_path / "next")
    assert again.ledger.baseline == winner
    assert again.ledger.began.seed == 1
    assert again.ledger.is_closed
    with pytest.raises(UserError, match="parameters"):
        liebig.improve(
            liebig.module(lambda: nn.Linear(64, 10), train=(IMAGES[:900], LABELS[:900])),
            begin_from=study.path,
            trials=1,
        )
    with pytest.raises(UserError, match="network of your own"):
        liebig.improve(begin_from=study.path, trials=1)


def test_a_study_begun_from_a_winner_goes_on(study, tmp_path):
    def stop(event):
        if isinstance(event, TrialJudged):
            raise RuntimeError("the machine went down")

    with pytest.raises(RuntimeError):
        liebig.improve(task(), begin_from=study.path, trials=1, study=tmp_path / "next", on_event=stop)
    done = liebig.improve(task(), study=tmp_path / "next", resume=True)
    assert done.ledger.is_closed
    assert done.ledger.baseline == study.ledger.sealed.handed_over


def test_what_is_handed_over_can_be_trained_on_the_sealed_rows_too(tmp_path):
    done = liebig.improve(task(), trials=1, refit="all", study=tmp_path / "study")
    told = " ".join(done.told.data.notes)
    assert "900 rows, the 180 sealed ones among them" in told
    assert "one by one, since a study whose trials are counted" in told
    page = " ".join(done.report().read_text().split())
    assert "belongs to the network before that" in page
    assert "belongs to the network before that" in str(done.as_json())
    assert done.best.module is not None


def test_a_placebo_is_for_tables():
    with pytest.raises(UserError, match="placebo"):
        liebig.improve(task(), placebo=True)


def test_the_page_says_how_networks_were_trained(tmp_path):
    done = liebig.improve(task(epochs=8), budget="8s", study=tmp_path / "study")
    told = done.told
    assert any(note.startswith("networks were trained") for note in told.data.notes)
    assert "networks were trained" in " ".join(told.text.split())
