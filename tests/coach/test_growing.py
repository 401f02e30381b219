"""What more rows would bring, measured beside a recipe: when, on what, and what is written down."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from liebig.coach.actions import Diagnose, MeasureGrowth
from liebig.coach.advice import Idea
from liebig.coach.advising import DataAdvisor
from liebig.coach.growing import growth_of, measure_growth, measured, requests_for
from liebig.coach.ledger import MemoryLedger
from liebig.coach.loop import improve
from liebig.coach.policy import next_action
from liebig.coach.runner import Result
from liebig.coach.seen import curve_of, evidence_as_diagnosed
from liebig.coach.simulation import World, simulated_began
from liebig.coach.table_subject import TableSubject
from liebig.coach.training import TrainingRunner
from liebig.coach.view import View
from liebig.core.evidence import Evidence, FinalScore, LearningCurve
from liebig.core.run import Ending, Outcome, Score
from liebig.core.study import Diagnosed, Explained, Noted, Profiled, Ran, Study
from liebig.core.task import FULL, Fidelity
from liebig.data.table.first_recipes import starting, textbook
from liebig.data.table.task import table_task
from liebig.techniques.compute.auto import Compute
from liebig.techniques.stopping.best_epoch import BestEpoch
from liebig.techniques.stopping.early_stopping import EarlyStopping
from liebig.techniques.stopping.epochs import FixedEpochs

LONG = Outcome(Ending.FINISHED, 10)


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 3))
    y = np.where(x[:, 0] + x[:, 1] + 0.3 * rng.standard_normal(400) > 0, "yes", "no")
    return table_task(pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y}), "y")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def final(rows, score=0.8, loss=0.4):
    return FinalScore("accuracy", True, score, 0.5, 0.01, 0.9, loss, 0.7, 0.01, 0.3, 80, rows)


def judged(value, rows, loss=0.4, examples=50):
    influence = np.zeros(examples)
    return Score(value, np.arange(examples), influence), Evidence((final(rows, value, loss),))


def begun(recipe, trials=None, work=4000, options=None):
    """A study whose baseline is trained in three blocks."""
    began = replace(simulated_began(World(80), 0), trials=trials, budget=100.0, work_rows=work, options=options or {})
    runs = []
    for block in range(3):
        score, evidence = judged(0.85 + 0.01 * block, 2800)
        runs.append(Ran(1.0, recipe.digest, block, FULL, LONG, score, 5, 1.0, evidence))
    return Study((began, Noted(0.5, recipe.digest, "textbook network", recipe), Profiled(0.6, Evidence()), *runs))


def view_of(study, recipe, seconds=90.0, cost=0.1):
    return View(
        study, Idea("textbook network", recipe), (), tuple, lambda before, after: (), lambda some: cost * len(some),
        lambda name, blocks, fidelity: 1.0, lambda recipe: 0.0, seconds,
    )  # fmt: skip


def test_sizes_are_trained_as_long_as_the_whole(found):
    plain = textbook(found)
    requests = requests_for(plain, FULL, (0.5, 0.25))
    assert [(each.fidelity.rows, each.block) for each in requests] == [(s, b) for s in (0.5, 0.25) for b in range(3)]
    epochs = plain.stopping.epochs
    assert requests[0].recipe.stopping == BestEpoch(epochs=2 * epochs)
    assert requests[3].recipe.stopping == BestEpoch(epochs=4 * epochs)
    stopped = starting(found).replace(stopping=EarlyStopping(epochs=40, patience=8))
    (early, *_) = requests_for(stopped, Fidelity(0.5), (0.5,))
    assert early.recipe.stopping == EarlyStopping(epochs=80, patience=8)
    assert early.fidelity == Fidelity(0.25)


def test_it_is_measured_once_where_it_is_cheap(found):
    recipe = textbook(found)
    study = begun(recipe)
    assert isinstance(next_action(view_of(study, recipe)), MeasureGrowth)
    assert measure_growth(view_of(study, recipe, cost=0.25), 0.02).shares == (0.5, 0.25)  # a size less
    assert isinstance(next_action(view_of(study, recipe, cost=9.0)), Diagnose)
    assert measure_growth(view_of(begun(recipe, work=150), recipe), 1.0) is None  # too small a table
    assert measure_growth(view_of(begun(recipe, options={"placebo": "true"}), recipe), 1.0) is None
    tried = study.adding(*(Explained(2.0, recipe.digest, each) for each in measured_of(study, recipe)))
    assert isinstance(next_action(view_of(tried, recipe)), Diagnose)
    assert measure_growth(view_of(tried, recipe), 1.0) is None


def test_what_is_measured_after_a_diagnosis_is_diagnosed(found):
    recipe = textbook(found)
    study = begun(recipe).adding(Diagnosed(2.0, recipe.digest, (), {}))
    assert not isinstance(next_action(view_of(study, recipe, cost=9.0)), Diagnose)
    later = study.adding(*(Explained(3.0, recipe.digest, each) for each in measured_of(study, recipe)))
    assert isinstance(next_action(view_of(later, recipe)), Diagnose)
    told = later.adding(Diagnosed(4.0, recipe.digest, (), {}))
    assert not isinstance(next_action(view_of(told, recipe, cost=9.0)), Diagnose)
    assert all(each.get(LearningCurve) is not None for each in evidence_as_diagnosed(told, recipe.digest))


def measured_of(study, recipe, failing=False):
    action = MeasureGrowth(recipe.digest, FULL, (0.5, 0.25, 0.125))
    results = []
    for step, rows in enumerate((1400, 700, 350), start=1):
        for block in range(3):
            score, evidence = judged(0.85 + 0.01 * block - 0.02 * step, rows, 0.4 + 0.05 * step)
            results.append(Result(LONG, score, 5, 0.1, evidence))
    if failing:
        results[4] = Result(LONG, Score(math.nan, np.empty(0, np.int64), np.empty(0)), 0, 0.1)
    return measured(study, action, results)


def test_scores_and_losses_are_written_from_the_smallest_size_on(found):
    recipe = textbook(found)
    study = begun(recipe)
    growth, curve = measured_of(study, recipe)
    assert growth.rows == (350.0, 700.0, 1400.0, 2800.0)
    assert growth.scores == pytest.approx((0.80, 0.82, 0.84, 0.86))
    assert growth.now == 2800.0
    assert 0 < growth.low < growth.twice < growth.high < 0.02 + 1e-9
    assert growth.line_rows[-1] == pytest.approx(5600.0)
    assert curve.rows == (350, 700, 1400, 2800)
    assert curve.loss == pytest.approx((0.55, 0.5, 0.45, 0.4))
    assert curve.chance_loss == pytest.approx(0.7)
    kept = study.adding(*(Explained(2.0, recipe.digest, each) for each in (growth, curve)))
    assert growth_of(kept, recipe.digest) == growth
    assert curve_of(kept, recipe.digest) == curve
    (failed,) = measured_of(study, recipe, failing=True)
    assert not failed.is_measured
    assert failed.reason


def test_a_study_of_a_table_knows_what_more_rows_would_bring(found):
    short = textbook(found).replace(stopping=FixedEpochs(epochs=3), compute=Compute(precision="float32"))
    runner = TrainingRunner(found, seed=0, clock=lambda: 0.0)
    began = replace(simulated_began(World(80), 0, trials=0), work_rows=len(found.task.parts.work), kind=found.task.kind)
    ledger = MemoryLedger(Study((began,)))
    improve(ledger, runner, DataAdvisor(TableSubject(found), runner, baseline=short, only_networks=True), lambda: 0.0)
    study = ledger.study
    growth = growth_of(study, study.baseline)
    assert growth.is_measured
    assert growth.rows == tuple(sorted(growth.rows))
    assert growth.low <= growth.twice <= growth.high
    diagnosed = next(each for each in study.all(Diagnosed) if each.digest == study.baseline)
    assert not diagnosed.others.get("too-little-data", "found").startswith("not measured")
    assert not any(each.fidelity.rows < 1 for each in study.all(Ran))  # nothing that trials are judged by
