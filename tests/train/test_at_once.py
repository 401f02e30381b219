"""Populations of a user's network in one call: the same as one by one, and only where that is possible and faster."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from liebig.core.study import PopulationPath, PopulationPaths
from liebig.data.module.task import module_task
from liebig.report.populations import paths_told
from liebig.train import paths as measuring
from liebig.train.modules import MODULES
from liebig.train.options import TrainOptions
from liebig.train.paths import Paths
from liebig.train.training import train
from liebig.trials.blocks import blocks


def data(rows=203, shape=(6,)):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(rows, *shape, generator=generator)
    return inputs, inputs.flatten(1)[:, :3].argmax(1)


def dense():
    # Before a normalisation a bias has no gradient but rounding, which Adam would blow up.
    return nn.Sequential(nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def convolutions():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(64, 3),
    )  # fmt: skip


class Own(nn.Module):
    """A network that does `what` on its way."""

    def __init__(self, what):
        super().__init__()
        self.what, self.first, self.last = what, nn.Linear(6, 8), nn.Linear(8, 3)
        self.cell = nn.GRU(6, 8, batch_first=True) if what == "recurrent" else None
        self.calls = 0

    def forward(self, x):
        h = self.first(x).relu()
        self.calls += 1
        if self.what == "draws":
            h = functional.dropout(h, 0.3, self.training)
        if self.what == "reads" and h.sum().item() > 1e9:
            h = h * 2
        if self.what == "branches" and h.sum() > 1e9:
            h = h * 2
        if self.what == "writes":
            whole = torch.zeros(len(x), 8)
            whole += h
            h = whole
        if self.what == "remembers" and self.training:
            self.mean = h.mean(0) if self.calls < 3 else 0.5 * self.mean + 0.5 * h.mean(0)
            h = h - self.mean.detach()
        if self.what == "turns" and self.calls > 60 and h.sum() > 1e9:
            h = h * 2
        if self.cell is not None:
            h = self.cell(x[:, None])[0][:, 0]
        return self.last(h)


def task(build=dense, shape=(6,), **changes):
    given = {"batch_size": 16, "epochs": 6, "optimizer": (torch.optim.Adam, {"lr": 0.01}), **changes}
    return module_task(build, train=data(shape=shape), **given)


@pytest.fixture
def eager(monkeypatch):
    """One call counts as faster, whatever it takes."""
    monkeypatch.setattr(measuring, "_FASTER", math.inf)


def both_ways(found, count=3, recipes=None):
    some = tuple(blocks(found.task, 0)[:count])
    recipes = recipes or (found.baseline,)
    paths = Paths()
    together, alone = (
        train(found.task, recipes, some, options=TrainOptions(keep_models=True, paths=each), encoding=MODULES)
        for each in (paths, None)
    )
    return paths.found.paths, together, alone


def assert_same(together, alone):
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one.model.weights, other.model.weights, rtol=2e-3, atol=2e-4)
        for mine, expected in zip(one.model.buffers, other.model.buffers, strict=True):
            torch.testing.assert_close(mine, expected, rtol=2e-3, atol=2e-4)
        np.testing.assert_allclose(one.run.predictions, other.run.predictions, rtol=2e-3, atol=2e-3)
        assert {type(each) for each in one.run.evidence} == {type(each) for each in other.run.evidence}


def own_loss(answer, target):
    return functional.cross_entropy(answer, target) + 0.01 * answer.square().mean()


@pytest.mark.parametrize(
    ("build", "shape", "loss"), [(dense, (6,), None), (convolutions, (1, 8, 8), None), (dense, (6,), own_loss)]
)
@pytest.mark.usefixtures("eager")
def test_it_is_what_one_by_one_comes_to(build, shape, loss):
    (path,), together, alone = both_ways(task(build, shape, loss=loss, metric="accuracy"))
    assert path.at_once
    assert (path.members, path.networks) == (3, 3)
    assert_same(together, alone)


@pytest.mark.usefixtures("eager")
def test_members_of_a_block_share_its_rows_and_blocks_may_differ_in_length():
    found = module_task(dense, train=data(), batch_size=16, epochs=6, optimizer=(torch.optim.SGD, {"lr": 0.1}))
    faster = found.baseline.replace(optimizer=found.baseline.optimizer.model_copy(update={"learning_rate": 0.05}))
    (path,), together, alone = both_ways(found, recipes=(found.baseline, faster))
    assert path.members == 6
    assert_same(together, alone)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("draws", "draws at random"),
        ("reads", "reads single values"),
        ("branches", "which way it goes"),
        ("writes", "in place"),
        ("recurrent", "recurrent"),
        ("remembers", "keeps tensors"),
    ],
)
@pytest.mark.usefixtures("eager")
def test_a_network_that_cannot_run_in_one_call_is_trained_one_by_one(what, reason):
    (path,), together, alone = both_ways(task(lambda: Own(what)))
    assert not path.at_once
    assert reason in path.reason
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one.run.predictions, other.run.predictions)


@pytest.mark.usefixtures("eager")
def test_a_branch_taken_later_is_caught_and_members_begin_again():
    (path,), together, alone = both_ways(task(lambda: Own("turns"), epochs=10))
    assert not path.at_once
    assert "which way it goes" in path.reason
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one.run.predictions, other.run.predictions)


def test_it_is_measured_once_and_taken_where_it_is_faster(monkeypatch):
    calls = []
    seconds = iter([(1.0, 0.6), (1.0, 0.2)])

    def timed(together, alone, most):
        calls.append(1)
        return next(seconds)

    monkeypatch.setattr(measuring, "_timed", timed)
    found, paths = task(), Paths()
    some = tuple(blocks(found.task, 0))
    for count in (2, 2, 3):
        train(found.task, (found.baseline,), some[:count], options=TrainOptions(paths=paths), encoding=MODULES)
    first, second = paths.found.paths
    assert len(calls) == 2
    assert (first.networks, first.at_once) == (4, True)
    assert (second.networks, second.at_once) == (3, False)


def test_nothing_is_timed_where_studies_are_to_be_repeated():
    found, paths = task(), Paths(timed=False)
    train(found.task, (found.baseline,), tuple(blocks(found.task, 0)[:3]), options=TrainOptions(paths=paths),
          encoding=MODULES)  # fmt: skip
    assert not paths.found.paths[0].at_once


def test_a_short_training_is_not_timed():
    (path,), _, _ = both_ways(task(epochs=2))
    assert not path.at_once
    assert "few steps" in path.reason


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ((PopulationPath(3, 9, True, 0.001, 0.004),), "a step of 3 took 1 ms, one by one 4 ms"),
        ((PopulationPath(3, 9, False, 0.004, 0.001),), "not clearly faster: a step of 3 took 4 ms, one by one 1 ms"),
        ((PopulationPath(3, 9, False, math.nan, math.nan, "it draws"),), "one by one, since it draws"),
        (
            (PopulationPath(3, 9, True, 0.001, 0.004), PopulationPath(3, 3, False, math.nan, math.nan, "it draws")),
            "3 of 12 one by one, since it draws",
        ),
    ],
)
def test_the_report_says_which_and_why(found, words):
    assert words in paths_told(PopulationPaths(found))
