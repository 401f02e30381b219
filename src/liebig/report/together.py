"""Models that answer together: who they are, what they share, how far that is known."""

from __future__ import annotations

from collections.abc import Sequence

from liebig.core.decision import Decision
from liebig.core.study import Combined, Member, Purpose, Study
from liebig.report.data import CombinationTold, Measure, MemberTold, RungTold
from liebig.report.numbers import counted, decimals_of, interval, percent, signed
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
    reading = reading_of(study, last) if adopted else ""
    sentences = _sentences(study, last, members, adopted, measure)
    return CombinationTold(members, effect, reading, last.candidates, adopted, last.reason, sentences)


def rung_of_combination(study: Study, measure: Measure, below: float) -> RungTold | None:
    """The last rung of the ladder, above one at the position `below`; None where models do not answer together."""
    together = study.combination
    if together is None or together.look is None:
        return None
    effect = seen_effect(measure, together.look, together.look.verdict)
    members = tuple(_told(study, each) for each in together.members)
    alone = [each.name for each in together.members] == [together.control]
    name = _reading_alone(study, together) if alone else _name(members)
    return RungTold(
        name, "" if alone else shares(members), together.score, below + effect.difference, effect, together.at
    )


def shares(members: Sequence[MemberTold]) -> str:
    """``45 % boosted trees, 30 % the starting recipe``, the largest first."""
    ordered = sorted(members, key=lambda each: -each.weight)
    return ", ".join(f"{percent(each.weight)} {each.name}" for each in ordered)


def answer_in_words(told: CombinationTold) -> str:
    """What the answer consists of: ``a weighted mean: 60 % boosted trees, 40 % the starting recipe``."""
    members, reading = told.members, f"; {told.reading}" if told.reading else ""
    return (
        f"that of {members[0].name} alone" if len(members) == 1 else f"a weighted mean: {shares(members)}"
    ) + reading


def reading_of(study: Study, last: Combined) -> str:
    """How the answers of what is handed over are read, in a few words; "" where as they come."""
    decision = last.decision
    if decision is None:
        return ""
    said = [_naming(study, decision), _tempering(decision) if _is_tempered(study, last, decision) else ""]
    return ", ".join(each for each in said if each)


def _reading_alone(study: Study, last: Combined) -> str:
    return reading_of(study, last) or "its answers, read as before"


def _naming(study: Study, decision: Decision) -> str:
    classes = study.began.classes
    if not decision.shifts:
        return ""
    if len(decision.shifts) == 2:
        return f"{classes[1]} is named from a probability of {_share(decision.threshold)} on"
    favoured = classes[max(range(len(classes)), key=decision.shifts.__getitem__)]
    return f"classes like {favoured} are named more readily"


def _tempering(decision: Decision) -> str:
    how = "milder" if decision.temperature > 1 else "sharper"
    return f"probabilities are made {how} (temperature {decision.temperature:.2f})"


def _is_tempered(study: Study, last: Combined, decision: Decision) -> bool:
    """Several seeds are milder than one: where networks have most of the answer, what one seed needs is then left out."""
    networks = sum(each.weight for each in last.members if each.is_network)
    several = study.sealed is not None and study.sealed.seeds > 1
    return decision.temperature != 1.0 and not (several and networks > 0.5)


def _share(value: float) -> str:
    return f"{value:.2f}" if 0.02 <= value <= 0.98 else f"{value:.2g}"


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


def _sentences(
    study: Study, last: Combined, members: Sequence[MemberTold], adopted: bool, measure: Measure
) -> tuple[str, ...]:
    alone = [each.name for each in last.members] == [last.control]
    if adopted and alone and last.decision is not None:
        return f"{members[0].name} answers alone.", *_of_reading(study, last, measure)
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
    return asked, answer, chosen, *_of_reading(study, last, measure)


def _of_reading(study: Study, last: Combined, measure: Measure) -> tuple[str, ...]:
    """How the answers are read, what that is worth, and how it was chosen."""
    decision = last.decision
    if decision is None:
        return ()
    said = []
    if decision.shifts:
        naming, effect = _naming(study, decision), seen_effect(measure, last.decided, None) if last.decided else None
        worth = ""
        if effect is not None:
            decimals = decimals_of([effect])
            worth = (
                f", worth {signed(effect.difference, decimals)} {measure.title} "
                f"{interval(effect.low, effect.high, decimals)} beside the most probable class"
            )
        said.append(f"{naming[:1].upper()}{naming[1:]}{worth}.")
    if decision.temperature != 1.0:
        tempering = _tempering(decision)
        if _is_tempered(study, last, decision):
            said.append(f"{tempering[:1].upper()}{tempering[1:]}: so their log-loss is lower.")
        else:
            said.append(
                f"One seed needed a temperature of {decision.temperature:.2f}; the mean of several seeds is milder, and is left as it is."
            )
    said.append("That was chosen, too, on rows of other blocks than those that judged it.")
    return tuple(said)
