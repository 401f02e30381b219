"""When to let models answer together, and which of them may."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from liebig.coach.actions import Action, Challenge, Combine
from liebig.coach.affording import size_of
from liebig.coach.limits import CHALLENGE_SHARE, COMBINE_BLOCKS, COMBINE_LEAST, COMBINE_MOST, FIRST_LOOK, MOST_SHARE
from liebig.coach.view import View
from liebig.core.study import Challenged, Combined, Study
from liebig.core.task import Fidelity
from liebig.trials.procedure import ROW_A

#: A challenger is fitted anew at most so often for one study: what does not stay in memory is not waited for.
_MOST_FITS = 3


def combine(view: View) -> Action | None:
    """Weigh the incumbent and what else was tried in its blocks, once for each incumbent, where the time that is kept for it
    pays for at least one member more."""
    study = view.study
    incumbent = study.incumbent or ""
    if any(each.control == incumbent for each in study.all(Combined)):
        return None
    if not view.unhurried and view.seconds_for_members < COMBINE_LEAST:
        return None
    fidelity = _fidelity(view, incumbent)
    if fidelity is None:
        return None
    challenge = _challenge_anew(view, fidelity)
    if challenge is not None:
        return challenge
    answered = view.answered()[fidelity]
    names = [incumbent, *_others(view, answered)]
    # More blocks judge better, more candidates have more to give: no candidate is given up for blocks.
    shared = [look for look in ROW_A.looks if all(answered[name] >= frozenset(range(look)) for name in names)]
    if len(names) < 2 or not shared:
        return None
    return Combine(tuple(names), max(each for each in shared if each <= COMBINE_BLOCKS), fidelity)


def _fidelity(view: View, incumbent: str) -> Fidelity | None:
    """The largest at which the incumbent's answers are there."""
    first = frozenset(range(FIRST_LOOK))
    having = [each for each, names in view.answered().items() if names.get(incumbent, frozenset()) >= first]
    return max(having, key=size_of) if having else None


def _others(view: View, answered: Mapping[str, frozenset[int]]) -> list[str]:
    """Rungs first, then challengers, then what was tried last: whoever is chosen by what is known of its score would
    flatter the combination."""
    study = view.study
    first = frozenset(range(FIRST_LOOK))
    rungs = [rung.digest for rung in reversed(study.rungs)]
    tried = [digest for digest in reversed(list(study.recipes)) if digest not in rungs]
    ordered = dict.fromkeys([*rungs, *view.challengers, *tried])
    able = [
        name
        for name in ordered
        if name != study.incumbent and answered.get(name, frozenset()) >= first and _can_be_paid(view, name)
    ]
    return able[: COMBINE_MOST - 1]


def _can_be_paid(view: View, name: str) -> bool:
    return view.unhurried or view.predicted_member(name) <= MOST_SHARE * view.seconds_for_members


def _challenge_anew(view: View, fidelity: Fidelity) -> Challenge | None:
    """A challenger that can hold its own and whose answers at this fidelity are not there."""
    study = view.study
    answered = view.answered()[fidelity]
    for name in promising(study, view.challengers):
        if answered.get(name, frozenset()) >= frozenset(range(FIRST_LOOK)) or not _can_be_paid(view, name):
            continue
        if sum(each.name == name for each in study.all(Challenged)) >= _MOST_FITS:
            continue
        cost = view.predicted_challenge(name, FIRST_LOOK, fidelity)
        if view.unhurried or cost <= CHALLENGE_SHARE * view.seconds_for_members:
            return Challenge(name, FIRST_LOOK, fidelity)
    return None


def promising(study: Study, challengers: Collection[str]) -> Iterator[str]:
    """Challengers that may earn a weight: those that could be fitted and are not far behind, the best first."""
    last = {each.name: each for each in study.all(Challenged) if each.blocks}
    behind = {name: each.high + (each.high - each.low) for name, each in last.items()}
    for name in sorted(behind, key=lambda each: -last[each].difference):
        if behind[name] > 0 and name in challengers:
            yield name
