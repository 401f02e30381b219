"""The policy as a pure function, on studies written out by hand."""

import math
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from liebig.coach.actions import (
    Adopt,
    BeginRound,
    Challenge,
    Diagnose,
    EndRound,
    Finish,
    Job,
    Leave,
    LookAtData,
    NoteBaseline,
    OpenSeal,
    TakeLook,
    Train,
    Withdraw,
)
from liebig.coach.advice import Idea
from liebig.coach.policy import next_action
from liebig.coach.simulation import World, simulated_began, simulated_recipe
from liebig.coach.view import View
from liebig.core.evidence import Evidence
from liebig.core.run import Ending, Outcome, Score
from liebig.core.study import (
    Adopted,
    Challenged,
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
    Treatment,
)
from liebig.core.task import FULL, Fidelity
from liebig.core.trial import Look, Verdict

HALF = Fidelity(0.5)
BASE = simulated_recipe()
NAMES = ("a", "b", "c", "d")
RECIPES = {name: simulated_recipe(frozenset({i + 1})) for i, name in enumerate(NAMES)}
DIGEST = {"base": BASE.digest, **{name: recipe.digest for name, recipe in RECIPES.items()}}
FINISHED = Outcome(Ending.FINISHED, 10)
SCORE = Score(0.5, np.arange(3), np.zeros(3))
FAILED = Score(math.nan, np.empty(0, np.int64), np.empty(0))


def began(trials=None, budget=100.0, work=5000):
    return replace(simulated_began(World(work // 5), 0, trials, budget), work_rows=work)


def ran(name, blocks, fidelity=FULL, score=SCORE):
    sentence = "" if score is SCORE else "the loss was infinite"
    outcome = replace(FINISHED, sentence=sentence)
    return [Ran(0.0, DIGEST[name], b, fidelity, outcome, score, 3, 1.0, Evidence()) for b in blocks]


def noted(*names):
    return [Noted(0.0, DIGEST[each], each, BASE if each == "base" else RECIPES[each]) for each in names]


def round_of(number, names, control="base", purpose=Purpose.REMEDIES, fidelity=FULL):
    treatments = tuple(Treatment(DIGEST[each], each, f"remedy {each}", "") for each in names)
    return [*noted(*names), RoundBegan(0.0, number, purpose, DIGEST[control], treatments, fidelity)]


def look(blocks, better, verdict=None, z=None):
    verdict = verdict or (Verdict.LIKELY if better >= 0.8 else Verdict.UNCLEAR)
    z = 4 * (better - 0.5) if z is None else z
    return Look(blocks, z, z - 1, z + 1, verdict, better, z, 0.1, 1, 1, 1, 0, 1.5, 8, 0.001, z / 2)


def looked(number, blocks, **better):
    return [Looked(0.0, number, DIGEST[name], look(blocks, value)) for name, value in better.items()]


def diagnosed(name):
    return Diagnosed(0.0, DIGEST.get(name, name), (), {})


def start(**options):
    """Everything until the first round."""
    return [
        began(**options), *noted("base"), Profiled(0.0, Evidence()), diagnosed("data"), *ran("base", range(3)),
        diagnosed("base"),
    ]  # fmt: skip


def view(
    entries,
    left=100.0,
    cost=1.0,
    ideas=("a", "b", "c", "d"),
    starting=None,
    challengers=(),
    stopping="",
    seal=MappingProxyType({}),
):
    found = [Idea(name, RECIPES[name], f"remedy {name}", "", 1.0 - 0.1 * i) for i, name in enumerate(ideas)]
    return View(
        Study(tuple(entries)),
        Idea("base", BASE),
        (starting,) if starting else (),
        lambda: found,
        lambda before, after: [Idea("part", simulated_recipe(frozenset({77})))],
        lambda requests: cost * sum(each.fidelity.rows * each.fidelity.epochs for each in requests),
        lambda name, blocks, fidelity: 0.1,
        lambda recipe: seal.get(recipe.digest, 1.0),
        left,
        challengers,
        stopping,
    )


def ask(entries, **options):
    return next_action(view(entries, **options))


def test_the_first_steps():
    assert ask([began()]) == NoteBaseline()
    assert ask([began(), *noted("base")]) == LookAtData()
    entries = [began(), *noted("base"), Profiled(0.0, Evidence()), diagnosed("data")]
    train = ask(entries)
    assert isinstance(train, Train)
    assert train.jobs == tuple(Job(DIGEST["base"], block) for block in range(3))
    assert train.fidelity == FULL
    assert ask([*entries, *ran("base", [0])]).jobs == (Job(DIGEST["base"], 1), Job(DIGEST["base"], 2))
    assert ask([*entries, *ran("base", range(3))]) == Diagnose(DIGEST["base"], FULL)


def test_a_round_begins_with_the_best_ideas_and_the_starting_recipe():
    action = ask(start())
    assert isinstance(action, BeginRound)
    assert [each.name for each in action.ideas] == list(NAMES)
    starting = Idea("starting", simulated_recipe(frozenset({9})))
    action = ask(start(), starting=starting)
    assert [each.name for each in action.ideas] == ["starting", *NAMES]
    assert ask(start(trials=2), starting=starting).ideas == (starting, action.ideas[1])


def test_a_cure_is_tried_alone_before_anything_else_beside_a_sick_network():
    cure = Idea("cure", RECIPES["c"], "remedy c", "a cause", 9.0, is_cure=True)
    others = [Idea(name, RECIPES[name], f"remedy {name}", "", 1.0) for name in "ab"]

    def asked(entries, starting=None):
        return next_action(replace(view(entries, starting=starting), ideas=lambda: [cure, *others]))

    assert asked(start()).ideas == (cure,)
    starting = Idea("starting", simulated_recipe(frozenset({9})))
    assert asked(start(), starting).ideas == (starting, cure, *others)
    ended = [*start(), *round_of(1, "d"), *ran("d", range(3)), *looked(1, 3, d=0.1), RoundEnded(0.0, 1, "")]
    assert asked(ended).ideas == (cure, *others)


def test_one_remedy_at_two_settings_is_not_tried_together():
    entries = [*start(), *round_of(1, "ab"), *ran("a", range(3)), *ran("b", range(3)), *looked(1, 3, a=0.9, b=0.85)]
    entries += [Adopted(0.0, 1, DIGEST["a"], Verdict.LIKELY), RoundEnded(0.0, 1, ""), diagnosed("a")]
    assert ask(entries).purpose is Purpose.TOGETHER
    same = [
        replace(each, treatments=tuple(replace(t, remedy="one") for t in each.treatments))
        if isinstance(each, RoundBegan)
        else each
        for each in entries
    ]
    asked = ask(same)
    assert not (isinstance(asked, BeginRound) and asked.purpose is Purpose.TOGETHER)


def test_an_idea_that_is_worth_nothing_is_not_tried():
    assert isinstance(ask(start(), ideas=()), OpenSeal)


def test_where_blocks_are_cheap_the_first_look_waits_for_more_of_them():
    entries = [*start(), *round_of(1, "ab")]
    train = ask(entries, cost=0.1)
    assert {job.block for job in train.jobs if job.digest == DIGEST["a"]} == set(range(8))
    assert train.look == 8
    train = ask([*start(trials=4), *round_of(1, "ab")], cost=0.1)
    assert train.look == 3


def test_a_round_trains_then_looks_then_races():
    entries = [*start(), *round_of(1, "ab")]
    train = ask(entries, cost=2.0)
    assert train.jobs == tuple(Job(DIGEST[each], block) for block in range(3) for each in "ab")
    entries += [*ran("a", range(3)), *ran("b", range(3))]
    assert ask(entries, cost=2.0) == TakeLook(1, (DIGEST["a"], DIGEST["b"]), 3)
    likely = ask([*entries, *looked(1, 3, a=0.9, b=0.4)])
    assert isinstance(likely, Adopt)
    assert likely.digest == DIGEST["a"]
    assert [digest for digest, _, _ in likely.leaving] == [DIGEST["b"]]
    hopeless = ask([*entries, *looked(1, 3, a=0.5, b=0.2)])
    assert isinstance(hopeless, Leave)
    assert [digest for digest, _, _ in hopeless.leaving] == [DIGEST["b"]]
    on = ask([*entries, *looked(1, 3, a=0.5, b=0.6)])
    assert isinstance(on, Train)
    assert on.look == 5
    assert {job.digest for job in on.jobs} == {DIGEST["base"], DIGEST["a"], DIGEST["b"]}


def test_a_round_of_which_all_have_left_ends():
    entries = [*start(), *round_of(1, "a"), *ran("a", range(3)), *looked(1, 3, a=0.1)]
    entries.append(Left(0.0, 1, DIGEST["a"], Verdict.UNCLEAR, "no hope"))
    assert isinstance(ask(entries), EndRound)


def test_an_adopted_recipe_is_diagnosed_then_proven_before_weaker_ideas():
    entries = [*start(), *round_of(1, "a"), *ran("a", range(3)), *looked(1, 3, a=0.9)]
    entries += [Adopted(0.0, 1, DIGEST["a"], Verdict.LIKELY), RoundEnded(0.0, 1, "")]
    assert ask(entries) == Diagnose(DIGEST["a"], FULL)
    entries.append(diagnosed("a"))
    proof = ask(entries)
    assert isinstance(proof, Train)
    assert proof.look == 5
    assert {job.digest for job in proof.jobs} == {DIGEST["base"], DIGEST["a"]}
    # A proof that would take a fifth of what is left waits for the next round.
    assert isinstance(ask(entries, left=16.0, ideas=("b",)), BeginRound)
    # With time for nothing else, it comes first.
    assert isinstance(ask(entries, left=6.0, ideas=("b", "c", "d")), Train)


def test_what_is_proven_is_not_proven_again():
    entries = [*start(), *round_of(1, "a"), *ran("a", range(3))]
    entries += [
        Looked(0.0, 1, DIGEST["a"], look(3, 0.99, Verdict.PROVEN)),
        Adopted(0.0, 1, DIGEST["a"], Verdict.PROVEN),
    ]
    entries += [RoundEnded(0.0, 1, ""), diagnosed("a")]
    assert isinstance(ask(entries, ideas=()), OpenSeal)


def test_no_idea_is_tried_twice_beside_the_same_control():
    entries = [*start(), *round_of(1, "a"), *ran("a", range(3)), *looked(1, 3, a=0.1), RoundEnded(0.0, 1, "")]
    action = ask(entries)
    assert [each.name for each in action.ideas] == ["b", "c", "d"]


def test_challengers_are_judged_after_the_first_round():
    entries = [*start(), *round_of(1, "a"), *ran("a", range(3)), *looked(1, 3, a=0.1), RoundEnded(0.0, 1, "")]
    assert ask(entries, challengers=("trees", "linear")) == Challenge("trees", 3, FULL)
    entries.append(Challenged(0.0, "trees", 3, 0.5, 0.0, -1.0, 1.0, 0.1))
    assert ask(entries, challengers=("trees", "linear")) == Challenge("linear", 3, FULL)
    assert isinstance(ask(entries, challengers=("trees",)), BeginRound)


def test_a_failed_run_leaves_as_worse():
    entries = [*start(), *round_of(1, "ab"), *ran("a", range(2)), *ran("a", [2], score=FAILED), *ran("b", range(3))]
    action = ask(entries)
    assert isinstance(action, Leave)
    assert action.leaving[0][:2] == (DIGEST["a"], Verdict.WORSE)
    assert "block 3: the loss was infinite" in action.leaving[0][2]


def test_short_time_reduces_rows_first():
    entries = [began(), *noted("base"), Profiled(0.0, Evidence()), diagnosed("data")]
    small = ask(entries, left=24.0)
    assert small.fidelity == HALF
    tiny = ask(entries, left=1.0)
    assert tiny.fidelity.rows * 5000 >= 1000


def reduced_study():
    return [
        began(), *noted("base"), Profiled(0.0, Evidence()), diagnosed("data"), *ran("base", range(3), HALF),
        diagnosed("base"), *round_of(1, "a", fidelity=HALF), *ran("a", range(3), HALF), *looked(1, 3, a=0.9),
        Adopted(0.0, 1, DIGEST["a"], Verdict.LIKELY), RoundEnded(0.0, 1, ""), diagnosed("a"),
    ]  # fmt: skip


def test_what_was_adopted_at_less_is_confirmed_at_full_size_in_a_round_of_its_own():
    action = ask(reduced_study(), ideas=())
    assert isinstance(action, BeginRound)
    assert action.purpose is Purpose.CONFIRMATION
    assert action.control == DIGEST["base"]
    assert action.fidelity == FULL
    assert len(action.ideas) == 1


@pytest.mark.parametrize(("better", "kind"), [(0.95, EndRound), (0.1, Withdraw), (0.5, Train)])
def test_a_confirmation_confirms_withdraws_or_goes_on(better, kind):
    entries = [*reduced_study(), *round_of(2, "a", purpose=Purpose.CONFIRMATION)]
    entries += [*ran("base", range(3)), *ran("a", range(3)), *looked(2, 3, a=better)]
    action = ask(entries)
    assert isinstance(action, kind)
    if isinstance(action, Withdraw):
        assert action.digest == DIGEST["base"]


def test_a_winner_whose_seal_does_not_fit_is_not_tried():
    action = ask(start(), seal={DIGEST["a"]: 60.0})
    assert [each.name for each in action.ideas] == ["b", "c", "d"]


def test_the_end():
    assert ask(start(), stopping="interrupted") == OpenSeal("interrupted")
    assert ask(start(), left=0.0) == OpenSeal("the budget is spent")
    sealed = Sealed(0.0, DIGEST["base"], DIGEST["base"], DIGEST["base"], 0, 0, 0, 0, 0, False, 10, {}, 0.0)
    assert isinstance(ask([*start(), sealed]), Finish)


def test_asking_twice_is_answered_alike():
    entries = [*start(), *round_of(1, "ab"), *ran("a", range(3))]
    assert ask(entries) == ask(entries)
