"""Time that is left at the seal: how many seeds it pays for, and what answers then."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from liebig.coach.runner import Final, FinalChallenger, FinalCombination
from liebig.coach.seeds import MOST_SEEDS, seeds_that_fit
from liebig.coach.training import TrainingRunner
from liebig.data.table.first_recipes import textbook
from liebig.data.table.task import TableTask, table_task
from liebig.train.combination import Combination
from liebig.train.fitted import Fitted


@pytest.mark.parametrize(
    ("left", "spent", "again", "seeds"),
    [
        (10.0, 20.0, 0.0, 1),  # not even once more
        (-1.0, 1.0, 0.0, 1),
        (1e9, 1.0, 1.0, MOST_SEEDS),
        (1.06 * 3, 1.0, 0.0, 3),  # two more, and one for explaining it
        (1.06 * 6.01, 1.0, 1.0, 3),  # two more, all three once more, one for explaining it
        (5.0, 0.0, 0.0, 1),
    ],
)
def test_seeds_are_as_many_as_time_pays_for(left: float, spent: float, again: float, seeds: int) -> None:
    assert seeds_that_fit(left, spent, again, lambda count: float(count)) == seeds


def test_seeds_that_cost_less_together_are_more() -> None:
    dear, cheap = (seeds_that_fit(4.0, 1.0, 0.0, times) for times in (lambda count: count, lambda count: count / 2))
    assert (dear, cheap) == (3, 6)


@pytest.fixture(scope="module")
def found() -> TableTask:
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(400, 3))
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": x[:, 0] + numbers.normal(size=400)})
    return table_task(frame, "y", kind="regression")


def opened_with(found: TableTask, spare: float | None) -> tuple[Fitted, Fitted, int]:
    runner = TrainingRunner(found, seed=0, clock=lambda: 0.0)
    recipe = textbook(found)
    first, last = runner.open_seal([Final(recipe, 1), Final(recipe, 2)], None, spare)
    assert isinstance(first.model, Fitted)
    assert isinstance(last.model, Fitted)
    return first.model, last.model, last.seeds


def test_time_that_is_left_trains_the_winner_from_further_seeds(found: TableTask) -> None:
    baseline, winner, seeds = opened_with(found, 1e6)
    assert (len(baseline.weights), len(winner.weights), seeds) == (1, MOST_SEEDS, MOST_SEEDS)
    assert len({tuple(each.tolist()) for each in winner.weights}) == MOST_SEEDS
    frame = found.task.data.frame[found.task.parts.sealed]
    alone = opened_with(found, None)[1]
    assert (len(alone.weights), opened_with(found, 0.0)[2]) == (1, 1)
    # The first of them is the network that would have answered alone.
    assert winner.weights[0].tolist() == alone.weights[0].tolist()
    assert np.isfinite(winner.predict_frame(frame)).all()


def test_the_networks_of_a_combination_are_trained_from_further_seeds(found: TableTask) -> None:
    runner = TrainingRunner(found, seed=0, clock=lambda: 0.0)
    recipe = textbook(found)
    together = FinalCombination((Final(recipe, 2), FinalChallenger("linear")), (0.6, 0.4))
    opened = runner.open_seal([Final(recipe, 1), together], None, 1e6)[-1]
    assert isinstance(opened.model, Combination)
    assert opened.seeds == MOST_SEEDS
    assert [len(each.weights) for each in opened.model.networks] == [MOST_SEEDS]
    assert opened.members == (0, 1)
