"""Cost predicted from shapes, and the learning-rate range test."""

from __future__ import annotations

import pytest

from liebig.core.task import Fidelity
from liebig.nets.mlp import MLP
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.techniques.optimizers.sgd import SGD
from liebig.techniques.stopping.best_epoch import BestEpoch
from liebig.techniques.stopping.early_stopping import EarlyStopping
from liebig.techniques.stopping.epochs import FixedEpochs
from liebig.train.cost import predicted_seconds, step_cost
from liebig.train.options import TrainOptions
from liebig.train.range_test import range_test


def test_cost_grows_with_what_is_asked(task, recipe, encoding):
    def seconds(rows, members, **fields):
        return predicted_seconds(task, recipe, rows, members, encoding=encoding, **fields)

    one = seconds(100, 1)
    assert 0 < one < seconds(100, 4) < seconds(300, 4)
    assert seconds(100, 1, fidelity=Fidelity(1.0, 0.34)) == pytest.approx(one / 3)
    assert seconds(100, 1, epochs=6) == pytest.approx(2 * one)


def test_what_may_end_early_is_expected_to_and_what_chooses_its_epoch_is_not(task, recipe, encoding):
    def seconds(stopping):
        changed = recipe.replace(stopping=stopping)
        options = TrainOptions(probes=False)
        return predicted_seconds(task, changed, 100, 1, encoding=encoding, options=options)

    early, best = seconds(EarlyStopping(epochs=20)), seconds(BestEpoch(epochs=20))
    assert early == pytest.approx(0.6 * best)
    assert best >= seconds(FixedEpochs(epochs=20))  # each epoch is evaluated


def test_an_ensemble_costs_its_members(task, recipe, encoding):
    together = recipe.with_technique(SeedEnsemble(members=4))
    cost = step_cost(task, together, 100, TrainOptions(), encoding)
    seconds = predicted_seconds(task, together, 100, 1, encoding=encoding, options=TrainOptions(probes=False))
    assert seconds == pytest.approx(3 * 4 * cost.seconds(4))


def test_a_shape_is_timed_once(task, recipe, encoding):
    first = step_cost(task, recipe, 100, TrainOptions(), encoding)
    assert step_cost(task, recipe, 100, TrainOptions(), encoding) is first
    wide = recipe.replace(network=MLP(width=512))
    assert step_cost(task, wide, 100, TrainOptions(), encoding).seconds(8) > first.seconds(8)


def test_the_range_test_finds_a_rate_that_learns(task, recipe, block, encoding):
    rate = range_test(task, recipe.replace(optimizer=SGD(learning_rate=1e-6)), block, encoding=encoding)
    assert 1e-3 < rate < 10
    assert range_test(task, recipe.replace(optimizer=SGD(learning_rate=1e-6)), block, encoding=encoding) == rate
