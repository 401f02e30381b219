import math
from dataclasses import replace

import numpy as np
import pytest

from liebig.coach.compare import Contestant, compare, curves
from liebig.coach.simulation import SimulatedRunner, World, simulated_recipe
from liebig.core.event import Stop, TrialJudged
from liebig.core.run import Ending, Outcome, Score
from liebig.core.trial import Verdict

BASE = Contestant("plain", simulated_recipe())


def other(number: int) -> Contestant:
    return Contestant(f"change {number}", simulated_recipe(frozenset({number})))


def now() -> float:
    return 0.0


def test_what_is_better_is_proven_what_is_worse_is_worse_and_blocks_are_added_while_open():
    runner = SimulatedRunner(World(300, effects={1: 5.0, 2: -5.0}), 0)
    found = compare((BASE, other(1), other(2), other(3)), runner, clock=now)
    better, worse, same = found.treatments
    assert better.verdict is Verdict.PROVEN
    assert better.look.low > 0
    assert worse.verdict is Verdict.WORSE
    assert same.verdict not in {Verdict.PROVEN, Verdict.WORSE}
    assert len(same.results) == len(found.results) == 12
    assert len(better.results) < 12
    assert "12 blocks" in found.reason
    assert [name for name, _ in curves(found)] == ["plain", "change 1", "change 2", "change 3"]


def test_the_level_is_divided_by_the_number_of_treatments():
    found = compare((BASE, other(1), other(2)), SimulatedRunner(World(300), 1), clock=now)
    assert found.treatments[0].looks[0].threshold == pytest.approx(0.12 * 0.05 / 2)


def test_equal_recipes_are_rarely_proven():
    proven = 0
    for seed in range(150):
        found = compare((BASE, other(1)), SimulatedRunner(World(300, uneven=0.4), seed), clock=now)
        proven += found.treatments[0].verdict is Verdict.PROVEN
    assert proven <= 15


def test_a_margin_allows_equal():
    found = compare((BASE, other(1)), SimulatedRunner(World(3000), 2), margin=1.0, clock=now)
    assert found.treatments[0].verdict is Verdict.EQUAL
    assert found.reason == "every treatment is decided"


def test_it_ends_with_its_time():
    class Slow(SimulatedRunner):
        spent = 0.0

        def predicted_seconds(self, requests):
            return float(len(requests))

        def run(self, requests, deadline):
            self.spent += len(requests)
            return super().run(requests, deadline)

    runner = Slow(World(300), 3)
    found = compare((BASE, other(1)), runner, seconds=9.0, clock=lambda: runner.spent)
    assert len(found.results) == 3
    assert "time" in found.reason


def test_a_listener_may_stop():
    found = compare(
        (BASE, other(1)),
        SimulatedRunner(World(300), 4),
        clock=now,
        listener=lambda event: Stop("enough") if isinstance(event, TrialJudged) else None,
    )
    assert found.reason == "enough"
    assert len(found.treatments[0].looks) == 1


def test_a_run_that_fails_is_told():
    class Sick(SimulatedRunner):
        def run(self, requests, deadline):
            results = list(super().run(requests, deadline))
            for i, request in enumerate(requests):
                if request.recipe.techniques and request.block == 1:
                    nothing = Score(math.nan, np.empty(0, np.int64), np.empty(0))
                    outcome = Outcome(Ending.DIVERGED, 3, "the loss was not finite at step 3")
                    results[i] = replace(results[i], score=nothing, outcome=outcome)
            return results

    found = compare((BASE, other(1)), Sick(World(300), 5), clock=now)
    assert found.treatments[0].verdict is Verdict.WORSE
    assert "change 1, block 2: the loss was not finite" in found.treatments[0].reason
    assert found.mean_score() == pytest.approx(np.mean([each.score.value for each in found.results]))


def test_one_recipe_or_the_same_twice_is_refused():
    runner = SimulatedRunner(World(300), 0)
    with pytest.raises(ValueError, match="two recipes"):
        compare((BASE,), runner, clock=now)
    with pytest.raises(ValueError, match="different recipes"):
        compare((BASE, BASE), runner, clock=now)
