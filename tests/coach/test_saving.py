"""What saves time: when it is tried, when it is taken."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from liebig.checks.device_underused import DeviceUnderused
from liebig.coach.actions import Adopt, EndRound
from liebig.coach.module_advising import ModuleAdvisor
from liebig.coach.saving import take_if_it_saves
from liebig.coach.view import Round
from liebig.core.check import Fact, Finding
from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.remedy import Situation
from liebig.core.run import Score
from liebig.core.study import Purpose, RoundBegan, Treatment
from liebig.core.task import FULL, TaskKind
from liebig.core.trial import Verdict
from liebig.data.module.inputs import ModuleInputs
from liebig.data.module.task import module_task
from liebig.nets.user_module import UserModule
from liebig.remedies.faster_settings import FasterSettings
from liebig.techniques.batching.shuffled import Shuffled
from liebig.techniques.compute.auto import Compute
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.optimizers.sgd import SGD
from liebig.techniques.schedules.constant import Constant
from liebig.techniques.stopping.epochs import FixedEpochs
from liebig.train.tune import Timing, Tuned
from liebig.trials.procedure import ROW_A, Spread, judge_saving, level, margin_of, pairs

ROUND = Round(
    RoundBegan(0.0, 1, Purpose.SAVING, "a", (Treatment("b", "bfloat16", "faster-settings", ""),), FULL), {}, {}, None, False
)  # fmt: skip


def score(value, seconds, rows=range(200), seed=0):
    influence = np.random.default_rng(seed).normal(size=len(rows))
    return Score(value, np.array(rows), influence - influence.mean(), seconds=seconds)


def look(control, treated, margin=0.005):
    pair = pairs(control, treated)
    spread = Spread().seeing(pair.blocks, pair.ratio)
    return judge_saving(pair, spread, level(ROW_A, 3, 0.05, 1), margin)


def three(values, seconds, seed):
    return [score(value, seconds, seed=seed + i) for i, value in enumerate(values)]


def test_what_is_faster_and_not_known_to_be_worse_is_taken():
    seen = look(three((0.80, 0.82, 0.81), 3.0, 0), three((0.801, 0.819, 0.811), 1.0, 10))
    action = take_if_it_saves(ROUND, "b", seen)
    assert isinstance(action, Adopt)
    assert action.verdict is seen.verdict


def test_what_is_likely_worse_is_left():
    seen = look(three((0.80, 0.82, 0.81), 3.0, 0), three((0.40, 0.41, 0.42), 1.0, 10))
    action = take_if_it_saves(ROUND, "b", seen)
    assert isinstance(action, EndRound)
    assert action.reason == "faster, but likely worse"


def test_what_is_not_faster_is_left():
    seen = look(three((0.80, 0.82, 0.81), 1.0, 0), three((0.801, 0.819, 0.811), 1.2, 10))
    action = take_if_it_saves(ROUND, "b", seen)
    assert isinstance(action, EndRound)
    assert action.reason == "not certainly faster"


def test_identical_answers_are_equal():
    same = three((0.80, 0.82, 0.81), 3.0, 0)
    faster = [replace(each, seconds=1.0) for each in same]
    action = take_if_it_saves(ROUND, "b", look(same, faster))
    assert isinstance(action, Adopt)
    assert action.verdict is Verdict.EQUAL


def test_the_margin_is_half_the_spread_between_seeds_of_the_same_rows():
    same = [score(value, 1.0) for value in (0.80, 0.82, 0.84)]
    assert margin_of(same) == pytest.approx(0.01)
    others = [score(0.80, 1.0, range(10)), score(0.82, 1.0, range(10)), score(0.10, 1.0, range(10, 20))]
    assert margin_of(others) == pytest.approx(0.5 * 0.02 / np.sqrt(2))
    apart = [score(0.80, 1.0, range(10)), score(0.82, 1.0, range(10, 20)), score(0.84, 1.0, range(20, 30))]
    assert margin_of(apart) == pytest.approx(0.01)


def faster(recipe, setting):
    finding = Finding(DeviceUnderused(), 0.4, "", {"setting": Fact(setting), "times": Fact(2.5)})
    return FasterSettings().propose(recipe, finding, Situation(TaskKind.BINARY, 100, 0, Evidence()))


def test_the_remedy_takes_the_setting_that_was_measured(user_recipe):
    (proposal,) = faster(user_recipe, "channels-last and bfloat16")
    assert proposal.saves
    assert proposal.name == "channels-last and bfloat16: 2.5 times as fast"
    assert (proposal.recipe.compute.precision, proposal.recipe.compute.layout) == ("bfloat16", "channels-last")
    assert proposal.recipe.network == user_recipe.network
    assert faster(proposal.recipe, "channels-last and bfloat16") == ()
    assert faster(user_recipe, "float32") == ()


@pytest.fixture
def user_recipe():
    return Recipe(
        inputs=ModuleInputs(), network=UserModule(source="a.py:build"), objective=CrossEntropy(), optimizer=SGD(),
        schedule=Constant(), batching=Shuffled(size=8), stopping=FixedEpochs(epochs=2), compute=Compute(precision="float32"),
    )  # fmt: skip


def test_what_leaves_the_numbers_as_they_are_is_taken_at_once_and_said():
    found = module_task(
        lambda: nn.Linear(4, 2),
        train=(torch.randn(40, 4), torch.arange(40) % 2),
        loss=nn.CrossEntropyLoss(),
        metric="accuracy",
    )
    own = found.baseline.compute
    slow = Timing("as it is", own, 8, 0.4)
    same = Timing("channels-last", own.model_copy(update={"layout": "channels-last"}), 8, 0.2)
    less = Timing("bfloat16", own.model_copy(update={"precision": "bfloat16"}), 8, 0.1)
    plain = ModuleAdvisor(found, None).baseline()
    assert (plain.name, plain.recipe) == ("network as you train it", found.baseline)
    advisor = ModuleAdvisor(found, None, settings=Tuned((slow, same, less), same, less))
    idea = advisor.baseline()
    assert idea.name == "network as you train it (channels-last: 2.0 times as fast)"
    assert idea.recipe.compute == same.compute
    (measured,) = advisor._faster(idea.recipe)
    assert (measured.seconds, measured.names, measured.with_setting) == (0.2, ("bfloat16",), (0.1,))
    assert advisor._faster(idea.recipe.replace(compute=less.compute)) == ()
