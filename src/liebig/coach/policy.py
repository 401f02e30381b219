"""The policy: a pure function of the study (and of what time and costs allow) to the next action.

It is asked before every step and answers from the ledger alone, so that going on after a kill is the same as going on.
What it does, in the order in which it asks itself:

1. look at the data; train the baseline; diagnose it, with what more rows would bring to it where that is cheap;
2. finish the round that is open: runs, look, race (TRIALS 4, 6);
3. diagnose the incumbent; try together what was likely together; prove what was adopted where that is cheap;
4. what is measured faster at (it is hoped) the same score comes first: all that follows is cheaper then;
   begin a round: the best untried ideas, and in the first one the starting recipe, at the largest fidelity that fits; where
   no starting recipe answers it, the cure of what certainly limits a network comes first and alone;
5. near the end, or without ideas: confirm at full size what was adopted at less, prove what was adopted, measure the parts
   of the starting recipe, challengers, and what more rows would bring to the winner;
6. with what is left: ask whether all that was adopted since the last proof holds over more blocks, and search around the
   winner, whole populations at a time;
7. weigh the winner and what else was tried, to answer together; then the seal.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from liebig.coach.actions import (
    Action,
    BeginRound,
    Challenge,
    Diagnose,
    Finish,
    Job,
    LookAtData,
    NoteBaseline,
    OpenSeal,
    Train,
)
from liebig.coach.advice import Idea
from liebig.coach.affording import largest_that_fits, missing_jobs, pays_for, size_of
from liebig.coach.choosing import next_round, starting_form
from liebig.coach.combine import together
from liebig.coach.combining import combine
from liebig.coach.growing import measure_growth
from liebig.coach.limits import (
    CHALLENGE_SHARE,
    FIRST_LOOK,
    GROWTH_SHARE,
    LAST_RACE,
    LATE_GROWTH_SHARE,
    PARTS_SHARE,
    PROOF_SHARE,
    ROUND_SHARE,
    ROUND_SIZE,
    SEARCH_LEAST,
    SEARCH_SHARE,
    SEARCH_SIZE,
    SPENT,
)
from liebig.coach.open_round import go_on
from liebig.coach.proving import confirm_at_full_size, doubt, measure_parts, prove, take_back
from liebig.coach.runner import Request
from liebig.coach.saving import save_time
from liebig.coach.view import View
from liebig.core.evidence import LearningCurve
from liebig.core.study import Challenged, Diagnosed, Entry, Explained, Profiled, Purpose, Study
from liebig.core.task import Fidelity
from liebig.trials.procedure import LIKELY
from liebig.trials.race import ranks


def next_action(view: View) -> Action:
    """What to do next. Pure."""
    study = view.study
    if study.is_closed:
        return Finish("the seal is opened, and the study closed")
    if study.baseline is None:
        return NoteBaseline()
    if view.stopping:
        return OpenSeal(view.stopping)
    if study.combination is not None:
        return OpenSeal(_reason(view))
    if view.seconds_left <= 0:
        return combine(view) or OpenSeal(SPENT)
    if study.last(Profiled) is None:
        return LookAtData()
    if _baseline_fidelity(study) is None:
        return _train_baseline(view)
    if view.rounds and not view.rounds[-1].ended:
        return go_on(view, view.rounds[-1])
    return _undiagnosed(view) or _between_rounds(view)


def _baseline_fidelity(study: Study) -> Fidelity | None:
    """The largest fidelity at which the baseline has its first blocks."""
    assert study.baseline is not None
    having = [
        fidelity
        for (digest, fidelity), runs in study.scores.items()
        if digest == study.baseline and all(block in runs for block in range(FIRST_LOOK))
    ]
    return max(having, key=size_of) if having else None


def _train_baseline(view: View) -> Action:
    study = view.study
    jobs = [Job(view.study.baseline or "", block) for block in range(FIRST_LOOK)]
    begun = [fidelity for digest, fidelity in study.scores if digest == study.baseline]
    if begun:
        fidelity = max(begun, key=size_of)
    else:
        # The whole first round has to fit: the baseline and the starting recipe beside three remedies of the same cost.
        starting = starting_form(view)
        recipes = [view.baseline.recipe] * (1 + ROUND_SIZE) + ([starting.recipe] if starting else [])
        fidelity = largest_that_fits(
            view,
            lambda at: [Request(recipe, block, at) for recipe in recipes for block in range(FIRST_LOOK)],
            ROUND_SHARE,
        )
    missing = missing_jobs(study, jobs, fidelity)
    return Train(missing, fidelity, 0, FIRST_LOOK)


def _undiagnosed(view: View) -> Action | None:
    """The incumbent's diagnosis, with what more rows would bring to it where that is cheap, or once it is known."""
    study = view.study
    incumbent = study.incumbent or ""
    last = next((each for each in reversed(study.entries) if _tells_limits(each, incumbent)), None)
    if isinstance(last, Diagnosed):
        return None
    # With a counted number of trials time says nothing: then it is measured of the first and of the last.
    if last is None and (not view.unhurried or incumbent == study.baseline):
        first = measure_growth(view, GROWTH_SHARE)
        if first is not None:
            return first
    having = [fidelity for digest, fidelity in study.scores if digest == incumbent]
    return Diagnose(incumbent, max(having, key=size_of))


def _tells_limits(entry: Entry, digest: str) -> bool:
    """A diagnosis of the recipe, or what one that was made before did not know."""
    if isinstance(entry, Explained):
        return entry.digest == digest and isinstance(entry.what, LearningCurve)
    return isinstance(entry, Diagnosed) and entry.digest == digest


def _between_rounds(view: View) -> Action:
    return (
        _try_together(view)
        or save_time(view)
        or _challenge(view)
        or take_back(view)
        or prove(view, PROOF_SHARE)
        or measure_parts(view, PARTS_SHARE)
        or next_round(view)
        or confirm_at_full_size(view)
        or prove(view, 1.0)
        or measure_parts(view, 1.0)
        or measure_growth(view, LATE_GROWTH_SHARE)
        or doubt(view)
        or _search(view)
        or combine(view)
        or OpenSeal(_reason(view))
    )


def _reason(view: View) -> str:
    return "nothing that is left is likely to help" if view.seconds_left > 0 else SPENT


def _try_together(view: View) -> Action | None:
    """Two Likely treatments of one round, together: a round of its own (TRIALS 6, 15)."""
    last = view.rounds[-1] if view.rounds else None
    if last is None or last.adopted is None or last.began.purpose is not Purpose.REMEDIES:
        return None
    if last.adopted != view.study.incumbent:  # it was taken back
        return None
    seen = last.blocks(last.adopted)
    treatments = {each.digest: each for each in last.began.treatments}
    still = {"", *_found_in(view.study, last.adopted)}
    others = [
        digest
        for digest, looks in last.looks.items()
        if digest != last.adopted
        and looks[-1].better >= LIKELY
        and looks[-1].blocks >= min(seen, FIRST_LOOK)
        # What was adopted may have answered the same: then there is nothing left for it to do.
        and treatments[digest].answers in still
    ]
    if not others:
        return None
    place = ranks({digest: last.looks[digest][-1] for digest in others})
    others.sort(key=lambda digest: (-place[digest], digest))
    recipes = view.study.recipes
    unlike: dict[tuple[str, str], str] = {}  # the same remedy at two settings or rates is one change
    for digest in (last.adopted, *others):
        unlike.setdefault((treatments[digest].remedy, treatments[digest].answers), digest)
    chosen = tuple(recipes[digest] for digest in list(unlike.values())[:3])
    if len(chosen) < 2:
        return None
    combined = together(recipes[last.began.control].recipe, tuple(each.recipe for each in chosen))
    if combined is None or not view.answers_in_time(combined):
        return None
    # One of them may hold the changes of all: then it is judged beside the one adopted, and its runs are there.
    known = recipes.get(combined.digest)
    idea = Idea(known.name if known else " and ".join(each.name for each in chosen), combined, "together", "", 1.0)
    fidelity = last.began.fidelity
    if not pays_for(view, last.adopted, (idea,), fidelity, ROUND_SHARE):
        return None
    return BeginRound(len(view.rounds) + 1, Purpose.TOGETHER, last.adopted, (idea,), fidelity)


def _found_in(study: Study, digest: str) -> Iterator[str]:
    """The checks that found something in a recipe, consequences too."""
    waiting = [note for each in study.all(Diagnosed) if each.digest == digest for note in each.findings]
    while waiting:
        note = waiting.pop()
        yield note.check
        waiting += note.consequences


def _challenge(view: View) -> Action | None:
    """Once a first round is over, the classical algorithms, each while it is cheap."""
    if not view.rounds:
        return None
    study = view.study
    judged = {each.name for each in study.all(Challenged)}
    spent = sum(each.seconds for each in study.all(Challenged))
    fidelity = view.rounds[-1].began.fidelity
    if len(study.scores.get((study.incumbent or "", fidelity), {})) < FIRST_LOOK:
        return None
    for name in view.challengers:
        if name in judged:
            continue
        cost = view.predicted_challenge(name, FIRST_LOOK, fidelity) + spent
        if view.unhurried or cost <= CHALLENGE_SHARE * min(view.seconds_left, study.began.budget):
            return Challenge(name, FIRST_LOOK, fidelity)
    return None


def _search(view: View) -> Action | None:
    """Candidates around the incumbent, drawn anew in each round, as many as the time left takes to the last look."""
    study = view.study
    incumbent = study.incumbent or ""
    if view.unhurried or not view.rounds or not isfinite(view.seconds_left):  # it has no end of its own
        return None
    had = [fidelity for digest, fidelity in study.scores if digest == incumbent]
    fidelity = max(had, key=size_of)
    recipe = study.recipes[incumbent].recipe
    limit = SEARCH_SHARE * view.seconds_left
    control = missing_jobs(study, [Job(incumbent, block) for block in range(LAST_RACE)], fidelity)

    def cost(size: int) -> float:
        looks = [(min(size, kept), range(*blocks)) for kept, blocks in ((size, (3,)), (4, (3, 5)), (2, (5, 8)))]
        again = [Request(recipe, job.block, fidelity) for job in control]
        return sum(view.predicted([Request(recipe, b, fidelity) for b in some] * kept) for kept, some in looks) + (
            view.predicted(again) if again else 0.0
        )

    size = next((size for size in range(SEARCH_SIZE, SEARCH_LEAST - 1, -2) if cost(size) <= limit), 0)
    known = study.recipes
    drawn = [each for each in view.around(size) if each.recipe.digest not in known] if size else []
    ideas = [each for each in drawn if view.answers_in_time(each.recipe)]
    if len(ideas) < SEARCH_LEAST:
        return None
    return BeginRound(len(view.rounds) + 1, Purpose.SEARCH, incumbent, tuple(ideas), fidelity)
