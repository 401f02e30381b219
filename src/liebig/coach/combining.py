"""When to let models answer together, and which of them may."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from math import inf
from typing import Final

from liebig.coach.actions import Action, Challenge, Combine
from liebig.coach.affording import size_of
from liebig.coach.deciding import is_read
from liebig.coach.limits import (
    COMBINE_BLOCKS,
    COMBINE_LEAST,
    COMBINE_LEAST_SHARE,
    COMBINE_MOST,
    FIRST_LOOK,
    MOST_SHARE,
)
from liebig.coach.view import View
from liebig.core.study import Challenged, Combined, Study
from liebig.core.task import Fidelity
from liebig.trials.procedure import ROW_A

#: A challenger is fitted anew at most so often for one study: what does not stay in memory is not waited for.
_MOST_FITS: Final = 3
#: So many of the best challengers are worth time that is kept for them.
HOPEFUL: Final = 2
_FIRST: Final = frozenset(range(FIRST_LOOK))
_LOOKS: Final = tuple(each for each in ROW_A.looks if each <= COMBINE_BLOCKS)


def combine(view: View) -> Action | None:
    """Weigh the incumbent and what else was tried in its blocks, once for each incumbent, where the time that is kept for it
    pays for at least one member more; else see how its own answers are read best, where the metric depends on that."""
    study = view.study
    incumbent = study.incumbent or ""
    if any(each.control == incumbent for each in study.all(Combined)):
        return None
    if not view.unhurried and view.seconds_for_members < least_seconds(study):
        return None
    kept = view.answered()
    having = [fidelity for fidelity, names in kept.items() if names.get(incumbent, frozenset()) >= _FIRST]
    for fidelity in sorted(having, key=size_of, reverse=True):
        answered = kept[fidelity]
        challenge = _challenge_anew(view, fidelity, answered)
        if challenge is not None:
            return challenge
        names = [incumbent, *_others(view, answered)]
        if len(names) > 1:
            return _over_most_blocks(names, answered, fidelity)
    if having and is_read(study.began.metric):  # nobody to answer with, but its answers may be read otherwise
        largest = max(having, key=size_of)
        return _over_most_blocks([incumbent], kept[largest], largest)
    return None


def _over_most_blocks(names: Sequence[str], answered: Mapping[str, frozenset[int]], fidelity: Fidelity) -> Combine:
    """More blocks judge better, more candidates have more to give: no candidate is given up for blocks."""
    shared = [look for look in _LOOKS if all(answered[name] >= frozenset(range(look)) for name in names)]
    return Combine(tuple(names), max(shared), fidelity)


def least_seconds(study: Study) -> float:
    """Weighing takes time itself: with less it is not begun."""
    return min(COMBINE_LEAST, COMBINE_LEAST_SHARE * study.began.budget)


def _others(view: View, answered: Mapping[str, frozenset[int]]) -> list[str]:
    """Rungs first, then challengers, then what was tried last: whoever is chosen by what is known of its score would
    flatter the combination."""
    study = view.study
    rungs = [rung.digest for rung in reversed(study.rungs)]
    tried = [digest for digest in reversed(list(study.recipes)) if digest not in rungs]
    ordered = dict.fromkeys([*rungs, *view.challengers, *tried])
    able = [
        name
        for name in ordered
        if name != study.incumbent and answered.get(name, frozenset()) >= _FIRST
        if _can_be_paid(view, name) and predict_ms(view, name) <= view.most_predict_ms
    ]
    return able[: COMBINE_MOST - 1]


def _can_be_paid(view: View, name: str) -> bool:
    return view.unhurried or view.predicted_member(name) <= MOST_SHARE * view.seconds_for_members


def predict_ms(view: View, name: str) -> float:
    """What a member costs to ask; nothing where that is not bounded."""
    if view.most_predict_ms == inf:
        return 0.0
    note = view.study.recipes.get(name)
    return view.predict_ms(note.recipe) if note is not None else view.challenger_predict_ms(name)


def _challenge_anew(view: View, fidelity: Fidelity, answered: Mapping[str, frozenset[int]]) -> Challenge | None:
    """A challenger that can hold its own and whose answers at this fidelity are not there."""
    study = view.study
    for name in islice(promising(study, view.challengers), HOPEFUL):
        if answered.get(name, frozenset()) >= _FIRST or not _can_be_paid(view, name):
            continue
        if sum(each.name == name for each in study.all(Challenged)) >= _MOST_FITS:
            continue
        if view.unhurried:
            return Challenge(name, FIRST_LOOK, fidelity)
        cost = view.predicted_challenge(name, FIRST_LOOK, fidelity) + view.predicted_member(name)
        if cost + least_seconds(study) <= MOST_SHARE * view.seconds_for_members:
            return Challenge(name, FIRST_LOOK, fidelity)
    return None


def promising(study: Study, challengers: Collection[str]) -> Iterator[str]:
    """Challengers that may earn a weight: those that could be fitted and are not far behind, the best first."""
    last = {each.name: each for each in study.all(Challenged) if each.blocks}
    behind = {name: each.high + (each.high - each.low) for name, each in last.items()}
    for name in sorted(behind, key=lambda each: -last[each].difference):
        if behind[name] > 0 and name in challengers:
            yield name
