"""Models that answer together: who they are, what they share, how far that is known."""

from __future__ import annotations

from collections.abc import Sequence

from liebig.core.study import Combined, Member, Purpose, Study
from liebig.report.data import CombinationTold, Measure, MemberTold, RungTold
from liebig.report.numbers import counted, percent
from liebig.report.scores import seen_effect
from liebig.report.words import plain_name


def combination_told(study: Study, measure: Measure) -> CombinationTold | None:
    """What came of the last weighing; None where there was none."""
    last = study.last(Combined)
    if last is None:
        return None
    adopted = study.combination is not None
    effect = seen_effect(measure, last.look, last.look.verdict) if last.look else None
    members = tuple(_told(study, each) for each in last.members)
    sentences = _sentences(study, last, members, adopted)
    return CombinationTold(members, effect, last.candidates, adopted, last.reason, sentences)


def rung_of_combination(study: Study, measure: Measure, below: float) -> RungTold | None:
    """The last rung of the ladder, above one at the position `below`; None where models do not answer together."""
    together = study.combination
    if together is None or together.look is None:
        return None
    effect = seen_effect(measure, together.look, together.look.verdict)
    members = tuple(_told(study, each) for each in together.members)
    return RungTold(_name(members), shares(members), together.score, below + effect.difference, effect, together.at)


def shares(members: Sequence[MemberTold]) -> str:
    """``45 % boosted trees, 30 % the starting recipe``, the largest first."""
    ordered = sorted(members, key=lambda each: -each.weight)
    return ", ".join(f"{percent(each.weight)} {each.name}" for each in ordered)


def answer_in_words(members: Sequence[MemberTold]) -> str:
    """What the answer consists of: ``a weighted mean: 60 % boosted trees, 40 % the starting recipe``."""
    return f"that of {members[0].name} alone" if len(members) == 1 else f"a weighted mean: {shares(members)}"


def _name(members: Sequence[MemberTold]) -> str:
    if len(members) == 1:
        return f"{members[0].name} in its place"
    return f"{counted(len(members), 'model')} that answer together"


def _told(study: Study, member: Member) -> MemberTold:
    if not member.is_network:
        return MemberTold(plain_name(member.name), False, member.weight)
    recipes = study.recipes
    name = recipes[member.name].name if member.name in recipes else member.name
    rounds = [each for each in study.trials if each.treatment.digest == member.name]
    if rounds and rounds[0].purpose is Purpose.ABLATION and rounds[0].control in recipes:
        name = f"{recipes[rounds[0].control].name}, without {name}"  # it is called by the part that it lacks
    return MemberTold(name, True, member.weight)


def _sentences(study: Study, last: Combined, members: Sequence[MemberTold], adopted: bool) -> tuple[str, ...]:
    asked = f"{counted(last.candidates, 'model')} that had been trained already were asked together."
    if not adopted:
        return asked, f"That was not kept: {last.reason}."
    if len(members) == 1:
        answer = f"One of them answers alone: {members[0].name}."
    else:
        how = "probabilities" if study.began.kind.is_classification else "numbers"
        answer = f"The answer is the mean of their {how}, each counted by its share: {shares(members)}."
    chosen = (
        "Shares are chosen by trying many, so in each block they were judged with the shares that the other blocks chose. "
        "That can be likely at most: the sealed part alone proves it."
    )
    return asked, answer, chosen
