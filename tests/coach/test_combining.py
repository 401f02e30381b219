"""When models answer together: the action, the entry, the seal; time, resuming, and what may not be claimed."""

import math
from dataclasses import replace

import numpy as np
import pytest
from test_coach_loop import Clock, TimedRunner, run

from liebig.coach.actions import Challenge, Combine, OpenSeal
from liebig.coach.combining import combine
from liebig.coach.kept import KeptAnswers
from liebig.coach.ledger import MemoryLedger
from liebig.coach.loop import improve
from liebig.coach.policy import next_action
from liebig.coach.runner import Final, FinalChallenger, FinalCombination, Opened, Weighed
from liebig.coach.simulation import SimulatedAdvisor, World, changes_of, simulated_began
from liebig.coach.view import MAX_PREDICT_MS, View
from liebig.coach.weighed import Prices, affordable
from liebig.core.study import Adopted, Challenged, Combined, Sealed, Study
from liebig.core.task import FULL, Fidelity
from liebig.core.trial import Verdict

WORLD = World(300)


class Answering(TimedRunner):
    """Remembers whose answers are there. Weighing gives the first candidates equal weights, and `gain` standard deviations
    of a block's difference; a challenger's training takes `challenger_cost` seconds."""

    def __init__(self, world, seed, clock, cost=1.0, gain=3.0, members=3, challenger_cost=0.2, **others):
        super().__init__(world, seed, clock, cost, **others)
        self.gain, self.members, self.challenger_cost = gain, members, challenger_cost
        self.there, self.seen, self.sealed, self.reached = {}, {}, None, None

    def _remember(self, name, block, fidelity, score):
        of = self.there.setdefault(fidelity, {})
        of[name] = of.get(name, frozenset()) | {block}
        self.seen[name, block, fidelity] = score

    def run(self, requests, deadline):
        results = super().run(requests, deadline)
        for request, result in zip(requests, results, strict=True):
            if not result.score.failed:
                self._remember(request.recipe.digest, request.block, request.fidelity, result.score)
        return results

    def challenge(self, name, blocks, fidelity):
        self.clock.now += self.challenger_cost * len(blocks)
        scores = [self.score(frozenset(), self._rows[block]) for block in blocks]
        for block, score in zip(blocks, scores, strict=True):
            self._remember(name, block, fidelity, score)
        return scores

    def predicted_challenge_seconds(self, name, blocks, fidelity):
        return self.challenger_cost * blocks

    def answered(self):
        return self.there

    def weights(self, names, blocks, fidelity):
        count = min(self.members, len(names))
        return tuple(1 / count if i < count else 0.0 for i in range(len(names)))

    def weigh(self, names, blocks, fidelity):
        rng = np.random.default_rng(0)
        scores = []
        for block in blocks:
            control = self.seen[names[0], block, fidelity]
            noise = rng.standard_normal(len(control.rows))
            noise -= noise.mean()
            value = control.value + self.gain * self._unit + float(noise[0]) * self._unit * 0.1
            scores.append(replace(control, value=value, influence=control.influence + noise))
        return Weighed(self.weights(names, blocks, fidelity), tuple(scores))

    def _price(self, final):
        match final:
            case FinalCombination(members, _):
                return sum(self._price(each) for each in members)
            case FinalChallenger():
                return self.challenger_cost
            case _:
                return self.seal_cost * final.rows

    def predicted_seeds_seconds(self, winner, seeds, most):
        return 0.0

    def predicted_seal_seconds(self, finals):
        return sum(self._price(each) for each in finals)

    def open_seal(self, finals, deadline, spare=None):
        self.clock.now += self.predicted_seal_seconds(finals)
        self.sealed = finals
        opened, rows = [], np.arange(self._world.examples)
        for each in finals:
            changes = frozenset() if isinstance(each, FinalCombination) else changes_of(each.recipe)
            score = self.score(changes, rows)
            if isinstance(each, FinalCombination):
                better = replace(score, value=score.value + 1.0)
                reached = tuple(range(len(each.members))) if self.reached is None else self.reached
                opened.append(Opened(better, 1, each, members=reached))
            else:
                opened.append(Opened(score, 1, each.recipe))
        return opened


class WithChallengers(SimulatedAdvisor):
    def challengers(self):
        return ("trees", "lines")


def combined_study(budget=60.0, seed=0, ledger=None, **how):
    clock = Clock()
    runner = Answering(WORLD, seed, clock, **how)
    handed, study, clock, _ = run(WORLD, seed, budget=budget, runner=runner, advisor=WithChallengers(), clock=clock)
    return handed, study, clock, runner


def test_what_is_likely_better_together_is_judged_by_the_seal_and_handed_over():
    handed, study, clock, runner = combined_study()
    entry, sealed = study.last(Combined), study.sealed
    assert entry.adopted
    assert entry.look.verdict is Verdict.LIKELY  # however large: weights are a choice
    assert entry.candidates > 2
    assert sum(each.weight for each in entry.members) == pytest.approx(1.0)
    assert entry.members[0].name == entry.control == study.incumbent
    assert {each.is_network for each in entry.members} == {True, False} or all(
        each.is_network for each in entry.members
    )
    assert sealed.final == sealed.handed_over == entry.digest
    assert sealed.baseline == study.baseline
    assert isinstance(handed.model, FinalCombination)
    assert [type(each) for each in runner.sealed] == [Final, FinalCombination]
    assert study.network_of(sealed.handed_over) == study.incumbent
    assert clock.now <= 62.0


def test_nothing_proven_comes_of_it():
    for seed in range(5):
        _, study, _, _ = combined_study(seed=seed, gain=50.0)
        assert all(each.look.verdict is not Verdict.PROVEN for each in study.all(Combined) if each.look)


def test_what_is_no_better_is_not_taken():
    _, study, _, _ = combined_study(gain=-1.0)
    assert not any(each.adopted for each in study.all(Combined))
    assert study.sealed.final == study.incumbent


def test_nothing_is_weighed_where_nobody_answers():
    _, study, _, _ = run(WORLD, budget=60.0)
    assert study.last(Combined) is None


@pytest.mark.parametrize(("challenger_cost", "cost"), [(0.1, 1.0), (5.0, 1.0), (0.1, 4.0), (30.0, 6.0)])
@pytest.mark.parametrize("budget", [10.0, 60.0])
def test_the_budget_is_kept_whatever_members_cost(challenger_cost, cost, budget):
    _, study, clock, _ = combined_study(budget, challenger_cost=challenger_cost, cost=cost, seal=0.5 * cost)
    assert study.is_closed
    assert clock.now <= max(1.05 * budget, budget + 2.0)


def test_the_dearest_leave_first():
    _, study, _, _ = combined_study(challenger_cost=0.05, cost=2.0, members=8, seal=2.0)
    entry = study.last(Combined)
    assert entry is not None
    assert entry.adopted
    assert sum(not each.is_network for each in entry.members) >= 1


def test_members_that_time_did_not_reach_are_left_out_and_said():
    clock = Clock()
    runner = Answering(WORLD, 0, clock)
    runner.reached = (0, 2)
    _, study, _, _ = run(WORLD, budget=60.0, runner=runner, advisor=WithChallengers(), clock=clock)
    first, last = list(study.all(Combined))[-2:]
    assert [each.name for each in last.members] == [first.members[0].name, first.members[2].name]
    assert sum(each.weight for each in last.members) == pytest.approx(1.0)
    assert study.sealed.final == last.digest != first.digest


def test_a_study_that_was_killed_goes_on_to_the_seal_of_the_same_members():
    _, whole, _, _ = combined_study()
    entry = whole.last(Combined)
    at = whole.entries.index(entry)
    clock = Clock()
    clock.now = entry.at
    ledger = MemoryLedger(Study(whole.entries[: at + 1]))
    handed = improve(ledger, Answering(WORLD, 1, clock), WithChallengers(), clock)
    assert ledger.study.sealed.final == entry.digest
    assert len(handed.model.members) == len(entry.members)
    # Before it was weighed: nothing that was answered is there any more, and the network alone is judged.
    ledger = MemoryLedger(Study(whole.entries[:at]))
    clock.now = 59.0
    improve(ledger, Answering(WORLD, 1, clock), WithChallengers(), clock)
    assert ledger.study.sealed.final == ledger.study.incumbent


def test_a_combination_that_no_longer_fits_gives_way_to_the_network():
    _, whole, _, _ = combined_study()
    entry = whole.last(Combined)
    at = whole.entries.index(entry)
    clock = Clock()
    clock.now = 58.5
    ledger = MemoryLedger(Study(whole.entries[: at + 1]))
    improve(ledger, Answering(WORLD, 1, clock, seal=0.4, challenger_cost=5.0), WithChallengers(), clock)
    study = ledger.study
    assert not study.last(Combined).adopted
    assert "time" in study.last(Combined).reason
    assert study.sealed.final == study.incumbent
    assert clock.now <= 62.0


def test_what_answers_too_slowly_is_no_member():
    class Slow(Answering):
        def predict_ms(self, recipe):
            return 4.0

        def challenger_predict_ms(self, name):
            return {"trees": 50.0, "lines": 1.0}[name]

    clock = Clock()
    runner = Slow(WORLD, 0, clock, members=8)
    _, study, _, _ = run(
        WORLD, budget=60.0, runner=runner, advisor=WithChallengers(), clock=clock, options={MAX_PREDICT_MS: "10"}
    )
    entry = study.last(Combined)
    assert entry.adopted
    assert "trees" not in {each.name for each in entry.members}
    assert sum(4.0 if each.is_network else 1.0 for each in entry.members) <= 10.0


def test_recipes_that_answer_too_slowly_are_not_tried():
    class Slow(TimedRunner):
        def predict_ms(self, recipe):
            return 20.0 if changes_of(recipe) & {1, 3} else 1.0

    clock = Clock()
    runner = Slow(WORLD, 0, clock)
    _, study, _, _ = run(WORLD, trials=8, runner=runner, clock=clock, options={MAX_PREDICT_MS: "10"})
    tried = frozenset().union(*(changes_of(each.recipe) for each in study.recipes.values()))
    assert tried
    assert not tried & {1, 3}


# --- the policy alone -----------------------------------------------------------------------------------------------


def view_of(study, answered, seconds=20.0, price=lambda name: 1.0):
    idea = SimulatedAdvisor().baseline()
    return View(
        study, idea, (), tuple, lambda before, after: (), len, lambda name, blocks, fidelity: 1.0, lambda recipe: 0.0,
        seconds, ("trees",), answered=lambda: answered, predicted_member=price, seconds_for_members=seconds,
    )  # fmt: skip


@pytest.fixture(scope="module")
def climbed():
    """A study of two rungs or more, before anything was weighed."""
    _, study, _, _ = run(World(300, effects={1: 3.0, 5: 3.0}), budget=60.0)
    return Study(tuple(each for each in study.entries if not isinstance(each, Sealed)))


def blocks(count):
    return frozenset(range(count))


def test_common_blocks_decide(climbed):
    rung = climbed.baseline
    assert rung != climbed.incumbent
    there = {FULL: {climbed.incumbent: blocks(12), rung: blocks(8)}}
    assert combine(view_of(climbed, there)) == Combine((climbed.incumbent, rung), 8, FULL)
    there = {FULL: {climbed.incumbent: blocks(12), rung: blocks(8), "trees": blocks(3)}}
    found = combine(view_of(climbed, there))
    assert set(found.names) == {climbed.incumbent, rung, "trees"}
    assert found.blocks == 3


def test_too_few_blocks_too_little_time_too_dear(climbed):
    rung = climbed.baseline
    assert combine(view_of(climbed, {FULL: {climbed.incumbent: blocks(12), rung: blocks(2)}})) is None
    assert combine(view_of(climbed, {FULL: {climbed.incumbent: blocks(2), rung: blocks(8)}})) is None
    there = {FULL: {climbed.incumbent: blocks(12), rung: blocks(8)}}
    assert combine(view_of(climbed, there, seconds=0.5)) is None
    assert combine(view_of(climbed, there, price=lambda name: 25.0)) is None


def test_whose_answers_can_be_read_otherwise_needs_nobody_beside_it(climbed):
    there = {FULL: {climbed.incumbent: blocks(12), climbed.baseline: blocks(2)}}
    assert combine(view_of(climbed, there)) is None
    began = replace(climbed.began, metric="f1")
    named = Study((began, *climbed.entries[1:]))
    assert combine(view_of(named, there)) == Combine((climbed.incumbent,), 8, FULL)
    # Others that answered on less are still worth more.
    half = Fidelity(0.5)
    there[half] = {climbed.incumbent: blocks(5), climbed.baseline: blocks(5)}
    assert combine(view_of(named, there)) == Combine((climbed.incumbent, climbed.baseline), 5, half)


def test_the_largest_fidelity_is_weighed_and_challengers_are_fitted_there(climbed):
    half = Fidelity(0.5)
    there = {
        half: {climbed.incumbent: blocks(8), climbed.baseline: blocks(8), "trees": blocks(3)},
        FULL: {climbed.incumbent: blocks(5), climbed.baseline: blocks(5)},
    }
    assert combine(view_of(climbed, there)) == Combine((climbed.incumbent, climbed.baseline), 5, FULL)
    near = climbed.adding(Challenged(1.0, "trees", 3, 0.5, 0.01, -0.02, 0.04, 1.0))
    assert combine(view_of(near, there)) == Challenge("trees", 3, FULL)
    assert isinstance(combine(view_of(near, there, seconds=2.5)), Combine)
    far = climbed.adding(Challenged(1.0, "trees", 3, 0.5, -0.5, -0.52, -0.48, 1.0))
    assert isinstance(combine(view_of(far, there)), Combine)


def test_it_is_weighed_once_and_then_sealed(climbed):
    there = {FULL: {climbed.incumbent: blocks(12), climbed.baseline: blocks(8)}}
    entry = Combined(1.0, "combination-1", climbed.incumbent, (), 2, 3, FULL, None, math.nan, False, "no")
    assert combine(view_of(climbed.adding(entry), there)) is None
    taken = climbed.adding(replace(entry, adopted=True))
    assert isinstance(next_action(view_of(taken, there)), OpenSeal)
    # Another incumbent since: what was compared with the one before no longer holds.
    risen = taken.adding(Adopted(2.0, climbed.rungs[-1].round, climbed.baseline, Verdict.LIKELY))
    assert risen.combination is None


# --- what can be paid -----------------------------------------------------------------------------------------------


def paid(seconds, asked, left=10.0, most=math.inf, members=3):
    names = tuple("abcdef")

    def weights(some):
        return [1.0 / members if place < members else 0.0 for place in range(len(some))]

    prices = Prices(dict(zip(names, seconds, strict=False)), dict(zip(names, asked, strict=False)), most)
    return affordable(
        names, prices, weights, lambda some: sum(seconds["abcdef".index(each)] for each in some), lambda: left
    )


def test_without_hurry_and_bound_all_may_stay():
    assert paid((), ()) == list("abcdef")


def test_the_dearest_in_what_is_short_leaves_until_the_rest_fits():
    assert paid((1, 9, 2, 2, 2, 2), ()) == list("acdef")
    assert paid((1, 9, 2, 8, 2, 20), ()) == list("acef")
    assert paid((1, 2, 3, 1, 1, 1), (5, 1, 50, 1, 1, 1), most=10) == list("abdef")


def test_the_first_stays_whatever_it_costs():
    assert paid((99, 99, 99, 99, 99, 99), ()) == ["a"]
    assert paid((), (99, 99, 99, 99, 99, 99), most=10) == ["a"]


# --- what is kept ---------------------------------------------------------------------------------------------------


def test_answers_beyond_the_limit_leave_smallest_fidelity_first():
    kept = KeptAnswers(limit=4 * 100 * 4)
    answer, half = np.zeros(100, np.float32), Fidelity(0.5)
    kept.put("a", 0, FULL, answer)
    for block in range(3):
        kept.put("a", block, half, answer)
    kept.put("a", 0, half, answer)  # the same again takes no more room
    assert kept.blocks() == {FULL: {"a": frozenset({0})}, half: {"a": frozenset({0, 1, 2})}}
    kept.put("b", 0, FULL, answer)
    assert len(kept.blocks()[half]["a"]) == 2
    for block in range(1, 5):
        kept.put("b", block, FULL, answer)
    assert set(kept.blocks()) == {FULL}
    assert kept.get("b", 4, FULL) is answer
    with pytest.raises(KeyError):
        kept.get("a", 0, FULL)  # of one fidelity the oldest leave
    KeptAnswers(limit=0).put("a", 0, FULL, answer)


def test_began_tells_the_bound():
    study = Study((replace(simulated_began(WORLD, 0), options={MAX_PREDICT_MS: "2.5"}),))
    assert view_of(study, {}).most_predict_ms == 2.5
    assert view_of(Study((simulated_began(WORLD, 0),)), {}).most_predict_ms == math.inf
