"""The loop and the policy, on simulated studies: budgets, ends, resuming, order of steps."""

import math
from dataclasses import replace

import numpy as np
import pytest

from liebig.coach.actions import BeginRound
from liebig.coach.advice import Idea
from liebig.coach.ledger import MemoryLedger
from liebig.coach.limits import FIDELITIES
from liebig.coach.loop import improve
from liebig.coach.runner import Result
from liebig.coach.simulation import (
    SimulatedAdvisor,
    SimulatedRunner,
    World,
    changes_of,
    simulated_began,
    simulated_recipe,
    simulated_study,
)
from liebig.core.errors import BudgetTooShort
from liebig.core.event import RungAdopted, SealOpened, Stop, TrialJudged
from liebig.core.run import Ending, Outcome, Score
from liebig.core.study import (
    Adopted,
    Diagnosed,
    Left,
    Looked,
    Noted,
    Profiled,
    Purpose,
    Ran,
    RoundBegan,
    RoundEnded,
    Sealed,
    Study,
    Withdrawn,
)
from liebig.core.trial import Verdict

FAILED = Score(math.nan, np.empty(0, np.int64), np.empty(0))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class TimedRunner(SimulatedRunner):
    """Runs take time: `cost` seconds for a full run, of which `slowness` times as much is really needed as predicted. A run
    that the deadline cuts short is out of budget. Recipes whose change is in `sick` diverge."""

    def __init__(self, world, seed, clock, cost=1.0, slowness=1.0, sick=(), seal=None):
        super().__init__(world, seed)
        self.clock, self.cost, self.slowness, self.sick = clock, cost, slowness, frozenset(sick)
        self.seal_cost = cost if seal is None else seal
        self.batches = []

    def predicted_seconds(self, requests):
        return self.cost * sum(each.fidelity.rows * each.fidelity.epochs for each in requests)

    def run(self, requests, deadline):
        self.batches.append(len(requests))
        self.clock.now += self.slowness * self.predicted_seconds(requests)
        if deadline is not None and self.clock.now > deadline:
            self.clock.now = max(deadline, 0.0) + 0.1
            cut = Outcome(Ending.OUT_OF_BUDGET, 1)
            return [Result(cut, FAILED, 0, 0.1) for _ in requests]
        return [
            replace_score(result) if changes_of(request.recipe) & self.sick else result
            for request, result in zip(requests, super().run(requests, deadline), strict=True)
        ]

    def predicted_seeds_seconds(self, winner, seeds, most):
        return 0.0

    def predicted_seal_seconds(self, finals):
        return sum(self.seal_cost * each.rows for each in finals)

    def open_seal(self, finals, deadline, spare=None):
        self.clock.now += self.predicted_seal_seconds(finals)
        return super().open_seal(finals, deadline, spare)


def replace_score(result):
    return replace(result, outcome=Outcome(Ending.DIVERGED, 7, "the loss became infinite at step 7"), score=FAILED)


class Starting(SimulatedAdvisor):
    """Also knows a starting recipe of three changes; never has more than `most` ideas."""

    def __init__(self, most=10_000):
        super().__init__()
        self.most = most

    def starting(self):
        return (Idea("the starting recipe", simulated_recipe(frozenset({101, 102, 103})), "starting"),)

    def ideas(self, study, recipe):
        return super().ideas(study, recipe) if len(study.recipes) < self.most else ()


PLAIN = World(300)


def run(world=PLAIN, seed=0, budget=math.inf, trials=None, runner=None, advisor=None, clock=None, **changes):
    clock = clock or Clock()
    ledger = MemoryLedger()
    began = simulated_began(world, seed, trials, budget)
    ledger.append(replace(began, **changes))
    runner = runner or TimedRunner(world, seed, clock)
    handed = improve(ledger, runner, advisor or SimulatedAdvisor(), clock)
    return handed, ledger.study, clock, runner


def purposes(study):
    return [each.purpose for each in study.all(RoundBegan)]


def test_a_study_goes_from_baseline_to_seal():
    _, study, _, _ = run(trials=4)
    kinds = list(dict.fromkeys(type(each) for each in study.entries))
    first = [kinds.index(kind) for kind in (Noted, Profiled, Diagnosed, Ran, RoundBegan, Looked, RoundEnded, Sealed)]
    assert kinds[1] is Noted
    assert first[-1] == len(kinds) - 1
    assert study.is_closed
    assert {ran.block for ran in study.all(Ran) if ran.digest == study.baseline} >= {0, 1, 2}


def test_the_same_seed_gives_the_same_study():
    one, other = simulated_study(World(300), 5), simulated_study(World(300), 5)
    assert [trial.looks for trial in one.trials] == [trial.looks for trial in other.trials]
    assert one.incumbent == other.incumbent
    assert simulated_study(World(300), 6).trials[0].looks != one.trials[0].looks


def test_trials_are_counted():
    study = simulated_study(World(300), 1, rounds=3, treatments=4)
    assert sum(len(each.treatments) for each in study.all(RoundBegan) if each.purpose is Purpose.REMEDIES) == 12


def test_nothing_is_run_twice():
    _, study, _, _ = run(trials=12, seed=3, advisor=Starting(), world=World(300, effects={101: 1.0, 102: 1.0}))
    runs = [(each.digest, each.block, each.fidelity) for each in study.all(Ran)]
    assert len(runs) == len(set(runs))


@pytest.mark.parametrize("stop_after", [1, 2, 5, 9, 17, 30, 60])
def test_resuming_is_replaying(stop_after):
    """Killed after any entry, the study goes on from what is written: nothing is lost, nothing done twice."""

    class Killed(Exception):
        pass

    class Dying(MemoryLedger):
        def append(self, *entries):
            if len(self.study.entries) >= stop_after:
                raise Killed
            return super().append(*entries)

    world = World(300, effects={2: 3.0})
    whole = Dying()
    whole.study = Study((simulated_began(world, 0, 8),))
    with pytest.raises(Killed):
        improve(whole, SimulatedRunner(world, 0), SimulatedAdvisor(), lambda: 0.0)
    resumed = MemoryLedger(whole.study)
    improve(resumed, SimulatedRunner(world, 1), SimulatedAdvisor(), lambda: 0.0)
    study = resumed.study
    assert study.is_closed
    assert study.entries[: len(whole.study.entries)] == whole.study.entries
    runs = [(each.digest, each.block, each.fidelity) for each in study.all(Ran)]
    assert len(runs) == len(set(runs))
    numbers = [each.number for each in study.all(RoundBegan)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {each.round for each in study.all(RoundEnded)} == set(numbers)


def test_a_closed_study_stays_closed():
    handed, study, clock, runner = run(trials=4)
    again = improve(MemoryLedger(study), runner, SimulatedAdvisor(), clock)
    assert again.study is study
    assert "closed" in again.reason
    assert again.model is None
    assert handed.model is not None


@pytest.mark.parametrize("slowness", [0.5, 1.0, 1.3])
@pytest.mark.parametrize(("budget", "cost"), [(30.0, 0.05), (60.0, 1.0), (60.0, 6.0), (60.0, 12.0), (300.0, 2.0)])
def test_it_ends_inside_its_budget_and_uses_it(budget, cost, slowness):
    clock = Clock()
    world = replace(World(4000), effects={2: 1.0})
    runner = TimedRunner(world, 0, clock, cost, slowness)
    _, study, clock, _ = run(world, budget=budget, clock=clock, runner=runner)
    assert study.is_closed
    assert clock.now <= max(1.05 * budget, budget + 2.0)
    if slowness >= 1.0:
        assert clock.now >= 0.7 * budget


def test_short_budgets_run_at_reduced_size_and_confirm_at_full():
    clock, world = Clock(), World(2000, effects={101: 2.0, 102: 2.0})
    runner = TimedRunner(world, 1, clock, cost=2.0)
    _, study, _, _ = run(world, budget=60.0, clock=clock, runner=runner, advisor=Starting(most=7))
    assert study.all(RoundBegan)
    first = next(study.all(RoundBegan))
    assert not first.fidelity.is_full
    assert first.fidelity in FIDELITIES
    confirmation = next(each for each in study.all(RoundBegan) if each.purpose is Purpose.CONFIRMATION)
    assert confirmation.fidelity.is_full
    assert len(confirmation.treatments) == 1
    for trial in study.trials:
        if not trial.fidelity.is_full:
            assert trial.verdict is not Verdict.PROVEN


def test_what_does_not_hold_at_full_size_is_withdrawn():
    """An effect that is there at reduced size only."""

    class Fickle(TimedRunner):
        def score(self, changes, rows):
            return super().score(changes - {101, 102, 103} if self.at_full else changes, rows)

        def run(self, requests, deadline):
            self.at_full = requests[0].fidelity.is_full
            return super().run(requests, deadline)

        def open_seal(self, finals, deadline, spare=None):
            self.at_full = True
            return super().open_seal(finals, deadline, spare)

    clock, world = Clock(), World(2000, effects={101: 3.0})
    gone = 0
    for seed in range(8):
        clock = Clock()
        runner = Fickle(world, seed, clock, cost=2.0)
        _, study, _, _ = run(world, seed, budget=60.0, clock=clock, runner=runner, advisor=Starting(most=7))
        for each in study.all(Withdrawn):
            gone += 1
            assert study.incumbent == each.digest or study.last(Adopted).at >= each.at
    assert gone >= 1


def test_the_starting_recipe_is_tried_in_round_one_and_taken_apart():
    world = World(300, effects={101: 2.0, 102: 2.0})
    _, study, _, _ = run(world, seed=2, trials=4, advisor=Starting())
    first = next(study.all(RoundBegan))
    assert first.treatments[0].name == "the starting recipe"
    assert study.rungs[1].name == "the starting recipe"
    ablation = [each for each in study.trials if each.purpose is Purpose.ABLATION]
    assert [each.treatment.name for each in ablation] == ["change 101", "change 102", "change 103"]
    # A look tells the part's worth, so what helps is positive, and nothing is adopted by taking away.
    assert ablation[0].looks[-1].difference > 0
    assert ablation[1].looks[-1].difference > 0
    assert not any(each.adopted for each in ablation)


def test_what_is_likely_together_is_tried_together():
    world = World(300, effects={1: 2.5, 2: 2.5})
    _, study, _, _ = run(world, seed=0, trials=4)
    assert Purpose.TOGETHER in purposes(study)
    together = next(each for each in study.all(RoundBegan) if each.purpose is Purpose.TOGETHER)
    assert len(together.treatments) == 1
    recipe = study.recipes[together.treatments[0].digest].recipe
    assert changes_of(recipe) >= {1, 2}


def test_proof_follows_adoption():
    world = World(300, effects={1: 1.2})
    studies = [run(world, seed=seed, trials=4)[1] for seed in range(10)]
    rungs = [rung for study in studies for rung in study.rungs[1:] if rung.name == "idea 1"]
    assert len(rungs) >= 5
    for rung in rungs:
        assert rung.verdict is Verdict.PROVEN or rung.look.blocks == 12 or rung.look.better < 0.2


def test_a_sick_treatment_leaves_as_worse():
    clock, world = Clock(), World(300)
    runner = TimedRunner(world, 0, clock, sick={1})
    _, study, _, _ = run(world, trials=4, clock=clock, runner=runner)
    trial = next(each for each in study.trials if each.treatment.name == "idea 1")
    assert trial.verdict is Verdict.WORSE
    assert "infinite at step 7" in trial.reason
    assert not trial.looks


def test_a_baseline_that_fails_is_left_behind():
    class Sick(TimedRunner):
        def run(self, requests, deadline):
            return [
                result if changes_of(request.recipe) else replace_score(result)
                for request, result in zip(requests, super().run(requests, deadline), strict=True)
            ]

    clock, world = Clock(), World(300, effects={3: 5.0})
    _, study, _, _ = run(world, trials=8, clock=clock, runner=Sick(world, 0, clock))
    assert len(study.rungs) >= 2
    assert changes_of(study.recipes[study.rungs[1].digest].recipe) == {3}  # the best of those that finish


def test_a_listener_may_stop_and_the_best_so_far_is_there():
    heard = []

    def listener(event):
        heard.append(event)
        return Stop("enough") if isinstance(event, RungAdopted) else None

    world = World(300, effects={1: 4.0})
    ledger = MemoryLedger(Study((simulated_began(world, 0, 20),)))
    handed = improve(ledger, SimulatedRunner(world, 0), SimulatedAdvisor(), lambda: 0.0, listener)
    assert handed.reason == "enough"
    assert ledger.study.is_closed
    assert changes_of(handed.model) >= {1}
    assert sum(isinstance(each, RungAdopted) for each in heard) == 1
    assert isinstance(heard[-1], SealOpened)
    assert any(isinstance(each, TrialJudged) for each in heard)


def test_ctrl_c_ends_early_with_the_seal_opened():
    class Interrupted(SimulatedRunner):
        calls = 0

        def run(self, requests, deadline):
            self.calls += 1
            if self.calls == 3:
                raise KeyboardInterrupt
            return super().run(requests, deadline)

    world = World(300)
    ledger = MemoryLedger(Study((simulated_began(world, 0, 20),)))
    handed = improve(ledger, Interrupted(world, 0), SimulatedAdvisor(), lambda: 0.0)
    assert handed.reason == "interrupted"
    assert ledger.study.is_closed
    assert handed.model is not None


def test_a_budget_that_pays_for_no_run_is_refused_in_a_sentence():
    clock, world = Clock(), World(300)
    with pytest.raises(BudgetTooShort, match=r"2 s do not pay for one training run .* --budget \d+s or more"):
        run(world, budget=2.0, clock=clock, runner=TimedRunner(world, 0, clock, cost=4.0))
    assert clock.now == 0.0


def test_a_winner_that_is_not_better_on_the_sealed_part_is_not_handed_over():
    found = set()
    for seed in range(12):
        handed, study, _, _ = run(World(60), seed=seed, trials=8)
        sealed = study.sealed
        better = sealed.gain > 0
        found.add(better)
        assert sealed.handed_over == (sealed.final if better else sealed.baseline)
        assert handed.model.digest == sealed.handed_over
    assert found == {True, False}


def test_rounds_begin_with_what_is_worth_most():
    class Ranked(SimulatedAdvisor):
        def ideas(self, study, recipe):
            found = super().ideas(study, recipe)
            return [replace(each, worth=0.1 * i) for i, each in enumerate(found)]

    _, study, _, _ = run(trials=3, advisor=Ranked(6))
    names = [each.name for each in next(study.all(RoundBegan)).treatments]
    assert names == ["idea 6", "idea 5", "idea 4"]


def test_two_candidates_count_as_two():
    class Fair(SimulatedAdvisor):
        def ideas(self, study, recipe):
            return [replace(each, candidates=2) for each in super().ideas(study, recipe)]

        def fair(self, idea):
            (number,) = changes_of(idea.recipe)
            return idea, Idea(f"{idea.name} at its rate", simulated_recipe(frozenset({number, 1000 + number})))

    _, study, _, _ = run(trials=4, advisor=Fair())
    first = next(study.all(RoundBegan))
    assert len(first.treatments) == 4
    assert study.trials[0].looks[0].threshold == pytest.approx(0.12 * 0.0108 / 4)


def test_left_and_adopted_are_consistent():
    study = simulated_study(World(300, effects={1: 1.0, 7: 1.0}), 11)
    adopted = {(each.round, each.digest) for each in study.all(Adopted)}
    left = {(each.round, each.digest) for each in study.all(Left)}
    assert not adopted & left


def test_begin_round_is_frozen():
    action = BeginRound(1, Purpose.REMEDIES, "a", (), FIDELITIES[0])
    with pytest.raises(AttributeError):
        action.number = 2


class BurstRunner(TimedRunner):
    """After the first runs everything looks fifty times as long, until costs are measured again."""

    burst = 1.0
    measured_again = 0

    def predicted_seconds(self, requests):
        return self.burst * super().predicted_seconds(requests)

    def predicted_seal_seconds(self, finals):
        return self.burst * super().predicted_seal_seconds(finals)

    def run(self, requests, deadline):
        busy, self.burst = self.burst, 1.0
        results = super().run(requests, deadline)
        self.burst = busy if self.measured_again else 50.0
        return results

    def measure_again(self):
        self.burst, self.measured_again = 1.0, self.measured_again + 1


def test_a_burst_of_other_work_does_not_end_a_study():
    clock = Clock()
    runner = BurstRunner(PLAIN, 0, clock)
    _, study, _, _ = run(budget=200.0, runner=runner, clock=clock, advisor=Starting())
    assert runner.measured_again == 1
    assert len(list(study.all(RoundBegan))) > 1


def test_costs_are_not_measured_again_without_end():
    clock = Clock()
    runner = BurstRunner(PLAIN, 0, clock)
    runner.measure_again = lambda: setattr(runner, "measured_again", runner.measured_again + 1)
    _, study, _, _ = run(budget=200.0, runner=runner, clock=clock, advisor=Starting())
    assert runner.measured_again == 3
    assert study.is_closed
