"""The next round: which ideas, at which fidelity, as many as the time left pays for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from liebig.coach.actions import Action, BeginRound, Train
from liebig.coach.advice import Idea
from liebig.coach.affording import (
    cost_of,
    fidelities_of,
    first_look_requests,
    largest_that_fits,
    pays_for,
    seal_grows_by,
    size_of,
)
from liebig.coach.limits import (
    CONFIRMATION_SHARE,
    CONSIDERED,
    EXPENSIVE,
    FIRST_LOOK,
    MOST_SHARE,
    ROUND_SHARE,
    ROUND_SIZE,
    SEAL_SHARE,
    WORTH_TRYING,
)
from liebig.coach.proving import confirmation_of, prove, spent_trials
from liebig.coach.runner import Request
from liebig.coach.view import View
from liebig.core.study import Purpose
from liebig.core.task import FULL, Fidelity
from liebig.core.trial import Verdict
from liebig.trials.procedure import LIKELY


def next_round(view: View) -> Action | None:
    """The best untried ideas beside the incumbent, where the time left pays for them and for what must follow."""
    study = view.study
    incumbent = study.incumbent or ""
    size = ROUND_SIZE
    if study.began.trials is not None:
        size = min(size, study.began.trials - spent_trials(view))
    if size < 1:
        return None
    if view.rounds and not view.unhurried:
        # Asking what every idea costs takes time itself: not when not even another run of the incumbent fits.
        again = Idea("", study.recipes[incumbent].recipe)
        least = min((fidelity for digest, fidelity in study.scores if digest == incumbent), key=size_of)
        if not pays_for(view, incumbent, (again,), least, MOST_SHARE):
            return None
    ideas = _chosen(view, size)
    if not ideas:
        return None
    fidelity = _round_fidelity(view, incumbent, ideas)
    affordable = _fitting(view, incumbent, ideas, fidelity)
    if not affordable:
        return None
    return BeginRound(len(view.rounds) + 1, Purpose.REMEDIES, incumbent, affordable, fidelity)


def _round_fidelity(view: View, control: str, ideas: Sequence[Idea]) -> Fidelity:
    """The largest fidelity at which a round's first look fits, or at which the control was run and a smaller round fits;
    never below those that it was run at: what is learnt from less says less."""
    had = {fidelity for digest, fidelity in view.study.scores if digest == control}
    least = min(had, key=size_of)
    fitting = largest_that_fits(view, lambda at: first_look_requests(view.study, control, ideas, at), ROUND_SHARE)
    if size_of(fitting) >= max(map(size_of, had)) or not view.rounds:
        return fitting  # before the first round going down costs the baseline's runs only
    for fidelity in sorted(had, key=size_of, reverse=True):
        if size_of(fidelity) >= size_of(fitting) and pays_for(view, control, ideas[:2], fidelity, ROUND_SHARE):
            return fidelity
    return max(least, fitting, key=size_of)


def _fitting(view: View, control: str, ideas: Sequence[Idea], fidelity: Fidelity) -> tuple[Idea, ...]:
    """Of `ideas`, best first, those whose first look, seal and the proof that must follow the time left pays for; of the
    starting recipe a cheaper form where the whole does not fit."""
    if view.unhurried:
        return tuple(ideas)
    limit = MOST_SHARE * view.seconds_left - _proof_reserve(view)
    fitting: list[Idea] = []
    for idea in ideas:
        forms = [idea]
        if idea in view.starting:
            cheaper = view.starting[view.starting.index(idea) :]
            forms = [each for each in cheaper if view.answers_in_time(each.recipe)]
        for form in forms:
            together = [*fitting, form]
            cost = view.predicted(first_look_requests(view.study, control, together, fidelity))
            if cost + max(seal_grows_by(view, each) for each in together) <= limit:
                fitting = together
                break
    return tuple(fitting)


def _proof_reserve(view: View) -> float:
    """Seconds that the next proof (or the confirmation at full size) of what was adopted would take; nothing is kept for
    one that is out of reach."""
    proof = prove(view, float("inf"))
    if isinstance(proof, Train):
        cost = cost_of(view, proof.jobs, proof.fidelity)
        return cost if cost <= MOST_SHARE * view.seconds_left else 0.0
    confirmation = confirmation_of(view)
    if confirmation is None:
        return 0.0
    cost = view.predicted(first_look_requests(view.study, confirmation[0], (confirmation[1],), FULL))
    return cost if cost <= CONFIRMATION_SHARE * view.seconds_left else 0.0


def _chosen(view: View, size: int) -> tuple[Idea, ...]:
    """The round's ideas: the starting recipe in the first round, and the best untried ones that are worth a trial; a cure
    alone."""
    study = view.study
    tried: dict[str, tuple[str, Verdict | None]] = {}
    for each in view.rounds:
        if each.began.purpose is Purpose.REMEDIES:
            for treatment in each.began.treatments:
                looks = each.looks.get(treatment.digest)
                verdict = each.left[treatment.digest].verdict if treatment.digest in each.left else None
                tried[treatment.name] = (each.began.control, looks[-1].verdict if looks else verdict)
    known = {treatment.digest for each in view.rounds for treatment in each.began.treatments}
    incumbent = study.incumbent or ""
    ranked = []
    for idea in view.ideas():
        if idea.saves or idea.recipe.digest in known or idea.recipe.digest == incumbent or idea.worth < WORTH_TRYING:
            continue
        if not view.answers_in_time(idea.recipe):
            continue
        if idea.name in tried and (tried[idea.name][0] == incumbent or tried[idea.name][1] is Verdict.WORSE):
            continue
        ranked.append(idea)
    ranked.sort(key=lambda each: -each.worth)
    first = starting_form(view) if not view.rounds else _second_chance(view)
    if first is None and ranked and ranked[0].is_cure and ranked[0].candidates <= size and not _was_treated(view):
        return (ranked[0],)
    chosen = [first] if first is not None and first.recipe.digest != incumbent else []
    room = size - (len(chosen) if view.unhurried else 0)
    return (*chosen, *_filling(view, ranked, room))


def _was_treated(view: View) -> bool:
    """Whether there was a round beside the incumbent. The cure of what certainly limits it is tried alone before that:
    whatever else is tried beside a sick network is tried again beside the mended one."""
    return any(
        each.began.control == view.study.incumbent and each.began.purpose is Purpose.REMEDIES for each in view.rounds
    )


def _second_chance(view: View) -> Idea | None:
    """The starting recipe once more, where it was likely better than the baseline but another was better still: beside what
    was adopted in its place. Its runs are there, so that the first look costs nothing."""
    forms = {form.recipe.digest: form for form in view.starting}
    tried = [each for each in view.rounds for digest in each.looks if digest in forms]
    if len(tried) != 1 or tried[0].adopted is None or tried[0].adopted in forms:
        return None
    digest = next(each for each in tried[0].looks if each in forms)
    return forms[digest] if tried[0].looks[digest][-1].better >= LIKELY else None


def starting_form(view: View) -> Idea | None:
    """The starting recipe in the first form that time can pay for: its look, at the least fidelity, and its seal."""
    forms = [idea for idea in view.starting if view.answers_in_time(idea.recipe)]
    if view.unhurried or not forms:
        return forms[0] if forms else None
    least = fidelities_of(view)[-1]
    for idea in forms:
        look = view.predicted([Request(idea.recipe, block, least) for block in range(FIRST_LOOK)])
        if look <= ROUND_SHARE * view.seconds_left and seal_grows_by(view, idea) <= SEAL_SHARE * view.seconds_left:
            return idea
    return forms[-1]


def _filling(view: View, ranked: Sequence[Idea], room: int) -> Iterator[Idea]:
    """The best of `ranked` for so much room. Expensive recipes (ensembles) wait until half of the time is gone or nothing
    else is left: whatever is tried after them pays their price again; a winner whose seal does not fit is no winner."""
    waiting = []
    late = view.unhurried or view.seconds_left < 0.5 * view.study.began.budget
    took_any = False
    for idea in ranked[:CONSIDERED]:
        if room < 1:
            return
        if idea.candidates > room or not _can_be_sealed(view, idea):
            continue
        if not late and _is_expensive(view, idea):
            waiting.append(idea)
            continue
        took_any = True
        room -= idea.candidates
        yield idea
    if not took_any:
        for idea in waiting:
            if idea.candidates <= room:
                room -= idea.candidates
                yield idea


def _can_be_sealed(view: View, idea: Idea) -> bool:
    return view.unhurried or seal_grows_by(view, idea) <= SEAL_SHARE * view.seconds_left


def _is_expensive(view: View, idea: Idea) -> bool:
    incumbent = view.study.recipes[view.study.incumbent or ""].recipe
    return view.predicted([Request(idea.recipe, 0)]) > EXPENSIVE * view.predicted([Request(incumbent, 0)])
