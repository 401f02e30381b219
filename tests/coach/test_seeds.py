"""Time that is left at the seal: how many seeds it pays for, and what answers then."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from liebig.coach.finals import FinalTraining
from liebig.coach.runner import Final, FinalChallenger, FinalCombination, Opened
from liebig.coach.seeds import MOST_FITS, MOST_SEEDS, fits_that_fit, kept_for_seeds, seeds_that_fit
from liebig.coach.training import TrainingRunner
from liebig.data.table.first_recipes import textbook
from liebig.data.table.task import TableTask, table_task
from liebig.train.combination import Combination, FittedChallenger
from liebig.train.fitted import Fitted
from liebig.train.tables import TABLES


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
    assert seeds_that_fit(left, spent, again, float, spent) == seeds


def test_seeds_that_cost_less_together_are_more() -> None:
    dear, cheap = (
        seeds_that_fit(4.0, 1.0, 0.0, times, 1.0) for times in (lambda count: count, lambda count: count / 2)
    )
    assert (dear, cheap) == (3, 6)


@pytest.mark.parametrize("most", [0.0, 2.0, 3.0, 4.5, 1e9])
@pytest.mark.parametrize("again", [0.0, 1.3])
def test_what_is_kept_pays_for_the_seeds_that_it_is_kept_for(most: float, again: float) -> None:
    kept = kept_for_seeds(most, 4, 1.0, again, float, 1.0)
    assert 0.0 <= kept <= most
    fit = seeds_that_fit(kept + again, 1.0, again, float, 1.0)
    assert (fit > 1) == (kept > 0.0)
    assert fit <= 4


def test_nothing_is_kept_where_nothing_was_timed() -> None:
    assert kept_for_seeds(1e9, 4, 1.0, 0.0, lambda seeds: float("inf"), 1.0) == 0.0
    assert kept_for_seeds(1e9, 4, 0.0, 0.0, float, 0.0) == 0.0


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


def test_where_time_does_not_pay_for_all_networks_the_most_important_have_further_seeds(
    found: TableTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = TrainingRunner(found, seed=0, clock=lambda: 0.0)
    monkeypatch.setattr(FinalTraining, "_seeds", lambda self, networks, *others: 3 if len(networks) == 1 else 1)
    recipe = textbook(found)
    together = FinalCombination((Final(recipe, 2), FinalChallenger("linear"), Final(recipe, 1)), (0.5, 0.3, 0.2))
    opened = runner.open_seal([Final(recipe, 1), together], None, 1e6)[-1]
    assert isinstance(opened.model, Combination)
    assert [len(each.weights) for each in opened.model.networks] == [3, 1]
    assert opened.seeds == 1


# --- other algorithms ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "once", "fits"), [(0.9, 1.0, 1), (1.06, 1.0, 2), (1e9, 1.0, MOST_FITS), (-1.0, 1.0, 1), (5.0, 0.0, 1)]
)
def test_fits_are_as_many_as_time_pays_for(left: float, once: float, fits: int) -> None:
    assert fits_that_fit(left, once) == fits


def _of_rows(count: int) -> TableTask:
    numbers = np.random.default_rng(1)
    x = numbers.normal(size=(count, 3))
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": x[:, 0] + numbers.normal(size=count)})
    return table_task(frame, "y", kind="regression")


def _opened(found: TableTask, spare: float | None, bounded: bool = False) -> Opened:
    runner = TrainingRunner(found, seed=0, clock=lambda: 0.0, bounds_prediction=bounded)
    members = (FinalChallenger("boosted-trees"), Final(textbook(found), 1), FinalChallenger("linear"))
    return runner.open_seal([Final(textbook(found), 1), FinalCombination(members, (0.5, 0.3, 0.2))], None, spare)[-1]


def test_trees_that_vary_with_their_seed_are_grown_from_further_ones() -> None:
    found = _of_rows(1600)
    opened, alone = _opened(found, 1e6), _opened(found, None)
    assert isinstance(opened.model, Combination)
    assert isinstance(alone.model, Combination)
    trees, network, linear = opened.model.members
    assert isinstance(trees, FittedChallenger)
    assert isinstance(network, Fitted)
    assert isinstance(linear, FittedChallenger)
    assert (len(trees.answerers), opened.fits, len(linear.answerers)) == (MOST_FITS, MOST_FITS, 1)
    assert (len(alone.model.members[0].answerers), alone.fits) == (1, 1)
    # The mean of all answers, the first of them what would have answered alone.
    inputs = found.task.data.classical(found.task.parts.sealed)
    each = [answerer.predict(inputs) for answerer in trees.answerers]
    assert len({answer.tobytes() for answer in each}) == MOST_FITS
    np.testing.assert_array_equal(each[0], alone.model.members[0].answerers[0].predict(inputs))
    told = trees.predict_rows(found.task, found.task.parts.sealed, TABLES)
    np.testing.assert_allclose(told, np.mean(each, axis=0), rtol=1e-5)
    # Trained once more on all rows it stays so many.
    again = TrainingRunner(found, seed=0, clock=lambda: 0.0).finals.refit_together(opened.model)
    assert [len(member.answerers) for member in again.members if isinstance(member, FittedChallenger)] == [MOST_FITS, 1]


def test_time_goes_to_trees_by_their_share_of_the_answer() -> None:
    assert _opened(_of_rows(1600), 0.0).fits == 1
    assert _opened(_of_rows(1600), 1e6, bounded=True).fits == 1


def test_few_rows_give_the_same_trees_under_every_seed() -> None:
    opened = _opened(_of_rows(600), 1e6)
    assert opened.fits == 1
    assert isinstance(opened.model, Combination)
    assert [len(each.answerers) for each in opened.model.members if isinstance(each, FittedChallenger)] == [1, 1]
