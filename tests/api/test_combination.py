"""Models that answer together, from the runner to the disk and back."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import liebig
from liebig.api.fitting import facts_of
from liebig.api.model import Model
from liebig.coach.finals import refit_deadline
from liebig.coach.runner import Final, FinalChallenger, FinalCombination, Request
from liebig.coach.training import TrainingRunner
from liebig.core.decision import Decision
from liebig.core.errors import UserError
from liebig.core.task import FULL
from liebig.data.table.first_recipes import starting, textbook
from liebig.data.table.task import TableTask, table_task
from liebig.store.predict import AnswerColumns, predict_file
from liebig.techniques.compute.auto import Compute
from liebig.techniques.stopping.epochs import FixedEpochs
from liebig.train.combination import Combination

ALGORITHMS = ("boosted-trees", "linear", "nearest-neighbours", "support-vectors")
TARGETS = ("answer", "kind", "signal")


@pytest.fixture(scope="module", params=TARGETS)
def found(request: pytest.FixtureRequest, small_table: Path) -> TableTask:
    """Two classes, three classes, numbers."""
    return table_task(pl.read_csv(small_table), request.param)


def recipes_of(found: TableTask) -> tuple[object, object]:
    brief = {"stopping": FixedEpochs(epochs=2), "compute": Compute(precision="float32")}
    return textbook(found).replace(**brief), starting(found).replace(**brief)


@pytest.fixture(scope="module")
def together(found: TableTask) -> tuple[Combination, float]:
    """Two networks and four algorithms as the seal judges them, and their score there."""
    runner = TrainingRunner(found, seed=0, clock=lambda: 0.0)
    members = (*(Final(each, 2) for each in recipes_of(found)), *(FinalChallenger(name) for name in ALGORITHMS))
    weights = (0.3, 0.2, 0.2, 0.1, 0.1, 0.1)
    (opened,) = runner.open_seal([FinalCombination(members, weights)], None)
    assert opened.members == tuple(range(6))
    assert isinstance(opened.model, Combination)
    return opened.model, opened.score.value


def model_of(found: TableTask, together: Combination) -> Model:
    return Model(together, facts_of(found, "small", 0.5, 80, 320))


def test_the_seal_judges_the_weighted_mean(found: TableTask, together: tuple[Combination, float]) -> None:
    combination, score = together
    sealed = found.task.parts.sealed
    frame = found.task.data.frame[sealed]
    parts = [each.predict_frame(frame).astype(np.float64) for each in combination.members]
    mean = sum(weight * part for weight, part in zip(combination.weights, parts, strict=True))
    np.testing.assert_allclose(combination.predict_frame(frame), mean, rtol=1e-5, atol=1e-6)
    value = found.task.metric.oriented(found.task.metric.score(found.task.target[sealed], mean.astype(np.float32)))
    assert value == pytest.approx(score, rel=1e-4)


def test_what_is_loaded_answers_exactly_as_what_was_saved(
    found: TableTask, together: tuple[Combination, float], small_table: Path, tmp_path: Path
) -> None:
    model = model_of(found, together[0])
    model.save(tmp_path / "model")
    loaded = liebig.load(tmp_path / "model")
    frame = pl.read_csv(small_table).drop(found.task.target_name)
    np.testing.assert_array_equal(loaded.predict(frame), model.predict(frame))
    if found.task.kind.is_classification:
        np.testing.assert_array_equal(loaded.predict_proba(frame), model.predict_proba(frame))
    assert loaded.members == model.members
    assert loaded.recipe == model.recipe
    assert sum(loaded.members.values()) == pytest.approx(1.0)
    kinds = {path.suffix for path in (tmp_path / "model").iterdir()}
    assert kinds == {".json", ".toml", ".safetensors"}  # nothing that holds code


def test_how_answers_are_read_is_saved_with_them(
    found: TableTask, together: tuple[Combination, float], small_table: Path, tmp_path: Path
) -> None:
    if not found.task.kind.is_classification:
        pytest.skip("numbers are read as they come")
    classes = len(found.task.classes)
    decision = Decision(1.5, (0.0,) * (classes - 1) + (2.0,))
    model = model_of(found, replace(together[0], decision=decision))
    model.save(tmp_path / "model")
    assert json.loads((tmp_path / "model" / "manifest.json").read_text())["format"] == 3
    loaded = liebig.load(tmp_path / "model")
    assert loaded.decision == decision
    frame = pl.read_csv(small_table).drop(found.task.target_name)
    plain, read = model_of(found, together[0]), loaded.predict(frame)
    np.testing.assert_allclose(loaded.predict_proba(frame).sum(axis=1), 1.0, rtol=1e-5)
    # The same order of rows by probability, milder; and the last class is named more often.
    assert (loaded.predict_proba(frame).max(axis=1) <= plain.predict_proba(frame).max(axis=1) + 1e-6).all()
    last = found.task.classes[-1]
    assert (read == last).sum() > (plain.predict(frame) == last).sum()
    if classes == 2:
        assert ((loaded.predict_proba(frame)[:, 1] > loaded.decision.threshold) == (read == last)).all()
    loaded.predict_file(str(small_table), tmp_path / "out.csv")
    assert (pl.read_csv(tmp_path / "out.csv")["prediction"].to_numpy() == read).all()
    said = tmp_path / "model" / "decision.json"
    said.write_text(said.read_text().replace("1.5", "-1.5"))
    with pytest.raises(UserError, match="damaged"):
        liebig.load(tmp_path / "model")


def test_a_file_is_answered_in_pieces(
    found: TableTask, together: tuple[Combination, float], small_table: Path, tmp_path: Path
) -> None:
    model_of(found, together[0]).save(tmp_path / "model")
    columns = AnswerColumns(found.task.kind, found.task.classes)
    answer = liebig.load(tmp_path / "model")._fitted.predict_frame
    assert predict_file(str(small_table), tmp_path / "out.csv", answer, columns, rows=37) == 400
    whole = model_of(found, together[0]).predict(small_table)
    written = pl.read_csv(tmp_path / "out.csv")["prediction"].to_numpy()
    if found.task.kind.is_classification:
        assert (written == whole).all()
    else:
        np.testing.assert_allclose(written, whole, rtol=1e-5)


def test_members_that_do_not_belong_together_are_refused(
    found: TableTask, together: tuple[Combination, float], tmp_path: Path
) -> None:
    model_of(found, together[0]).save(tmp_path / "model")
    plain = tmp_path / "model" / "combination.json"
    said = json.loads(plain.read_text())
    said["members"][0]["weight"] = 7.0
    plain.write_text(json.dumps(said))
    with pytest.raises(UserError, match="damaged"):
        liebig.load(tmp_path / "model")


def test_all_are_trained_again_on_all_rows(found: TableTask, together: tuple[Combination, float]) -> None:
    runner = TrainingRunner(found, seed=0, clock=lambda: 0.0)
    again = runner.finals.refit_together(together[0])
    assert again.weights == together[0].weights
    assert all(one is not other for one, other in zip(again.members, together[0].members, strict=True))
    frame = found.task.data.frame
    assert not np.array_equal(again.predict_frame(frame), together[0].predict_frame(frame))


def test_weighing_needs_answers_of_runs_and_of_challengers(found: TableTask) -> None:
    runner = TrainingRunner(found, seed=0, clock=lambda: 0.0)
    first, second = recipes_of(found)
    runner.run([Request(recipe, block) for recipe in (first, second) for block in range(3)], None)
    runner.challenge("linear", range(3), FULL)
    names = (first.digest, second.digest, "linear")
    assert runner.answered() == {FULL: dict.fromkeys(names, frozenset({0, 1, 2}))}
    weighed = runner.weigh(names, range(3), FULL)
    assert weighed is not None
    assert sum(weighed.weights) == pytest.approx(1.0)
    assert weighed.weights == runner.weights(names, range(3), FULL)
    for block, score in enumerate(weighed.scores):
        assert (
            np.array_equal(np.sort(runner.blocks[block].select), np.unique(score.rows)) or found.task.groups is not None
        )
    silent = TrainingRunner(found, seed=0, clock=lambda: 0.0, keeps_answers=False)
    silent.run([Request(first, 0)], None)
    assert not silent.answered()


def test_the_cost_of_answering_is_measured(found: TableTask) -> None:
    runner = TrainingRunner(found, seed=0, clock=lambda: 0.0, bounds_prediction=True)
    first, second = recipes_of(found)
    assert 0 < runner.predict_ms(first) < 1000
    assert runner.predict_ms(second) > 0
    assert runner.challenger_predict_ms("linear") == 0.0
    runner.challenge("linear", range(1), FULL)
    assert runner.challenger_predict_ms("linear") > 0


def test_what_does_not_fit_is_handed_over_as_it_was_judged(
    found: TableTask, together: tuple[Combination, float]
) -> None:
    began = time.monotonic()
    runner = TrainingRunner(found, seed=0, clock=lambda: time.monotonic() - began)
    assert runner.finals.refit_together(together[0], 0.0) is together[0]
    alone = together[0].networks[0]
    assert runner.finals.refit(alone, 0.0) is alone
    assert runner.finals.refit(alone, 1e6) is not alone


def test_the_budget_bounds_training_once_more() -> None:
    assert refit_deadline(None) is None
    assert refit_deadline(60.0) == pytest.approx(61.2)
    assert refit_deadline(10.0) == pytest.approx(11.0)
