"""The real runner and advisor on a small table, through the same loop."""

import numpy as np
import polars as pl
import pytest
import torch

from liebig.coach import trainer
from liebig.coach.advising import DataAdvisor
from liebig.coach.finals import lasting
from liebig.coach.ledger import MemoryLedger
from liebig.coach.loop import improve
from liebig.coach.runner import Request
from liebig.coach.simulation import World, simulated_began
from liebig.coach.table_subject import TableSubject
from liebig.coach.training import TrainingRunner
from liebig.core.event import DeviceReplaced
from liebig.core.study import Diagnosed, Ran, Study
from liebig.core.task import Fidelity
from liebig.data.table.first_recipes import textbook
from liebig.data.table.task import table_task
from liebig.hardware.threads import Threads
from liebig.techniques.compute.auto import Compute
from liebig.techniques.optimizers.adam import Adam
from liebig.techniques.stopping.epochs import FixedEpochs


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((240, 3)) * [1.0, 100.0, 0.01]
    y = np.where(x[:, 0] + x[:, 1] / 100 > 0, "yes", "no")
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y})
    return table_task(frame, "y")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def short(found):
    return textbook(found).replace(stopping=FixedEpochs(epochs=3), compute=Compute(precision="float32"))


def runner_of(found):
    return TrainingRunner(found, seed=0, clock=lambda: 0.0)


def test_requests_come_back_in_their_order(found):
    one = short(found)
    other = one.replace(optimizer=Adam(learning_rate=3e-3))
    requests = [Request(other, 1), Request(one, 0), Request(one, 1), Request(other, 0, Fidelity(0.5))]
    together = runner_of(found).run(requests, None)
    for request, result in zip(requests, together, strict=True):
        (alone,) = runner_of(found).run([request], None)
        assert result.score.value == pytest.approx(alone.score.value, abs=1e-3)
        assert np.array_equal(result.score.rows, alone.score.rows)
    assert len(together[0].score.influence) == len(together[0].score.rows)


def test_costs_are_predicted_and_learnt(found):
    runner = runner_of(found)
    requests = [Request(short(found), block) for block in range(3)]
    assert 0 < runner.predicted_seconds(requests[:1]) <= runner.predicted_seconds(requests)
    runner.run(requests, None)
    assert runner.trainer.training_seconds > 0
    assert runner.predicted_seconds(requests) > 0


def test_the_device_is_timed_once_where_there_are_two(found, monkeypatch):
    told, asked = [], []

    def fastest(task, recipe, block, encoding, *, members):
        asked.append(members)
        return "cpu"

    monkeypatch.setattr(trainer, "default_device", lambda: torch.device("cuda"))
    monkeypatch.setattr(trainer, "fastest_device", fastest)
    runner = TrainingRunner(found, seed=0, clock=lambda: 0.0, threads=Threads(), listener=told.append)
    runner.run([Request(short(found), block) for block in range(2)], None)
    runner.run([Request(short(found), 2)], None)
    assert asked == [2]
    (event,) = [each for each in told if isinstance(each, DeviceReplaced)]
    assert "less time on the processor than on cuda" in event.sentence
    # A recipe that names its device, and a study that may depend on no timing, are not asked about.
    for other in (TrainingRunner(found, seed=0, clock=lambda: 0.0), runner):
        recipe = short(found).replace(compute=Compute(precision="float32", device="cpu"))
        other.run([Request(recipe, 0)], None)
    assert asked == [2]


def test_placebos_are_trained_alike_under_other_seeds(found):
    runner = runner_of(found)
    plain = short(found)
    changed = plain.replace(optimizer=Adam(learning_rate=1e-3 * (1 + 1e-9)))
    same = runner.run([Request(plain, 0), Request(changed, 0)], None)
    assert same[0].score.loss == pytest.approx(same[1].score.loss, abs=1e-3)
    runner.trainer.reseed(changed, 7)
    other = runner.run([Request(plain, 0), Request(changed, 0)], None)
    assert other[0].score.loss == pytest.approx(same[0].score.loss, abs=1e-3)
    assert other[1].score.loss != pytest.approx(same[0].score.loss, abs=1e-3)


def test_lasting_leaves_nothing_to_choose(found):
    assert lasting(short(found), 0).stopping == FixedEpochs(epochs=3)
    assert lasting(short(found), 9).stopping == FixedEpochs(epochs=9)


def test_a_challenger_is_judged_on_the_same_rows(found):
    runner = runner_of(found)
    scores = runner.challenge("linear", range(2), Fidelity())
    assert np.array_equal(scores[0].rows, runner.run([Request(short(found), 0)], None)[0].score.rows)
    assert runner.predicted_challenge_seconds("linear", 3, Fidelity()) > 0


def test_a_whole_study_of_a_small_table(found):
    runner = runner_of(found)
    advisor = DataAdvisor(TableSubject(found), runner, baseline=short(found), placebo=True)
    ledger = MemoryLedger(Study((simulated_began(World(40), 0, trials=2),)))
    handed = improve(ledger, runner, advisor, lambda: 0.0)
    study = ledger.study
    assert study.is_closed
    assert handed.model is not None
    assert sum(1 for _ in study.all(Diagnosed)) >= 2
    assert any(ran.evidence.measurements for ran in study.all(Ran))


@pytest.mark.parametrize(("rows", "forms"), [(300, 2), (2000, 3)])
def test_the_starting_recipe_has_cheaper_forms(rows, forms):
    numbers = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"a": numbers.normal(size=rows), "b": numbers.normal(size=rows), "y": numbers.normal(size=rows)}
    )
    found = table_task(frame, "y", kind="regression")
    runner = runner_of(found)
    ideas = DataAdvisor(TableSubject(found), runner).starting()
    costs = [runner.predicted_seconds([Request(idea.recipe, 0)]) for idea in ideas]
    assert len({idea.recipe.digest for idea in ideas}) == forms
    assert costs == sorted(costs, reverse=True)
