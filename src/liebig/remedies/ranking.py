"""Which recipes are worth trying, best first: strength of the finding x what its remedies are expected to give.

The expectation starts at each remedy's prior and moves with what this study has seen. Nothing here draws a random number
or keeps a state: the same findings and outcomes give the same list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.core.study import Study
from liebig.core.trial import Verdict
from liebig.remedies import ALL
from liebig.remedies.edits import at_rate, merged, rate_of
from liebig.remedies.priors import expected_gain, spread_of

#: Strength that stands in for a finding where there is none: for remedies that answer nothing (an ensemble), and for those
#: whose checks found nothing, since no check sees everything.
_NO_CHECK: Final = 0.5
_NOT_FOUND: Final = 0.2
#: What takes the cause of a warning away, before anything was seen of it.
_CURE: Final = Prior(4.0, 0.5, 8.0, "our own fault benchmark: most of the way to the healthy twin")
#: A finding that follows from another is answered second.
_CONSEQUENCE: Final = 0.5
#: A remedy's second proposal, beside its first.
_SECOND: Final = 0.8
#: The same remedy at another incumbent is not the same trial: standard deviation of its effect between incumbents.
_BETWEEN_INCUMBENTS: Final = 0.5
#: A treatment that diverged or failed, in block standard deviations.
_FAILED: Final = (-3.0, 1.0)
#: Two rates within this factor are one rate.
_SAME_RATE: Final = 1.5


@dataclass(frozen=True, slots=True)
class Ranked:
    """A proposal with its place: `remedy` and the check that it `answers` by name ("" for none), and `worth`, the gain to
    be expected of a try in block standard deviations (what does not help is not kept, so it is never negative).
    `is_cure` marks what takes the cause of a warning away."""

    remedy: str
    answers: str
    proposal: Proposal
    worth: float
    is_cure: bool = False

    @property
    def name(self) -> str:
        return self.proposal.name

    @property
    def recipe(self) -> Recipe:
        return self.proposal.recipe

    @property
    def finds_rate(self) -> bool:
        """True when it should also be tried at the rate that a range test finds for it (see `twin`)."""
        return self.proposal.finds_rate


@dataclass(frozen=True, slots=True)
class Seen:
    """What one trial of this study showed of a remedy: its effect and standard error, in block standard deviations."""

    remedy: str
    effect: float
    error: float


def seen_in(study: Study) -> tuple[Seen, ...]:
    """What the trials of `study` showed of each remedy, oldest first."""
    seen: list[Seen] = []
    for trial in study.trials:
        if trial.looks:
            look = trial.looks[-1]
            unit = sqrt(look.spread * look.noise)  # the spread of a block's difference, steadied over the study
            if unit > 0 and look.d_variance > 0:
                seen.append(Seen(trial.treatment.remedy, look.difference / unit, sqrt(look.d_variance) / unit))
        elif trial.verdict is Verdict.WORSE:
            seen.append(Seen(trial.treatment.remedy, *_FAILED))
    return tuple(seen)


def updated(prior: Prior, name: str, seen: Iterable[Seen]) -> tuple[float, float]:
    """Mean and standard deviation of a remedy's effect after what was `seen` of it: normal prior, normal errors."""
    spread = spread_of(prior)
    precision, weighted = 1 / spread**2, prior.effect / spread**2
    for each in seen:
        if each.remedy == name:
            weight = 1 / (each.error**2 + _BETWEEN_INCUMBENTS**2)
            precision, weighted = precision + weight, weighted + weight * each.effect
    return weighted / precision, sqrt(1 / precision)


def proposals(
    recipe: Recipe,
    findings: Sequence[Finding],
    situation: Situation,
    tried: Collection[str] = (),
    *,
    seen: Sequence[Seen] = (),
    remedies: Sequence[Remedy] = ALL,
) -> tuple[Ranked, ...]:
    """Recipes worth trying beside `recipe`, best first, no digest twice and none of `tried`.

    `findings` are strongest first, as a diagnosis has them; consequences count half. Where several causes warn, the first
    cures of all, as one change, are among them: where two things are wrong, mending either alone may show nothing.
    """
    best: dict[str, Ranked] = {}
    for ranked in _each(remedies, recipe, tuple(_flat(findings)), situation, seen):
        digest = ranked.recipe.digest
        if digest == recipe.digest or digest in tried:
            continue
        if digest not in best or ranked.worth > best[digest].worth:
            best[digest] = ranked
    whole = _all_cured(recipe, findings, sorted(best.values(), key=_order))
    if whole is not None and whole.recipe.digest not in tried:
        best.setdefault(whole.recipe.digest, whole)
    return tuple(sorted(best.values(), key=_order))


def twin(ranked: Ranked, rate: float) -> Ranked | None:
    """The same change at the `rate` that a range test found for it; None where that is the rate it has."""
    present = rate_of(ranked.recipe)
    if present is None or present / _SAME_RATE < rate < present * _SAME_RATE:
        return None
    rounded = float(f"{rate:.2g}")
    recipe = at_rate(ranked.recipe, rounded)
    if recipe is None:
        return None
    return replace(ranked, proposal=Proposal(f"{ranked.name}, rate {rounded:g}", recipe))


def _order(ranked: Ranked) -> tuple[float, str]:
    return -ranked.worth, ranked.name


def _flat(findings: Iterable[Finding], share: float = 1.0) -> Iterator[tuple[Finding, float]]:
    """Findings with their strengths, those that follow from another after it."""
    for finding in findings:
        yield finding, finding.strength * share
        yield from _flat(finding.consequences, share * _CONSEQUENCE)


def _each(
    remedies: Sequence[Remedy],
    recipe: Recipe,
    findings: Sequence[tuple[Finding, float]],
    situation: Situation,
    seen: Sequence[Seen],
) -> Iterator[Ranked]:
    for remedy in remedies:
        gain = expected_gain(*updated(remedy.prior, remedy.name, seen))
        answered = [(finding, strength) for finding, strength in findings if isinstance(finding.check, remedy.answers)]
        for finding, strength in answered:
            cures = finding.is_warning and isinstance(finding.check, remedy.cures)
            hope = max(gain, expected_gain(*updated(_CURE, remedy.name, seen))) if cures else gain
            for place, proposal in enumerate(remedy.propose(recipe, finding, situation)):
                worth = hope * strength * _SECOND**place
                yield Ranked(remedy.name, finding.check.name, proposal, worth, cures)
        if not answered:
            strength = _NOT_FOUND if remedy.answers else _NO_CHECK
            for place, proposal in enumerate(remedy.propose(recipe, None, situation)):
                yield Ranked(remedy.name, "", proposal, gain * strength * _SECOND**place)


def _all_cured(recipe: Recipe, findings: Sequence[Finding], ranked: Sequence[Ranked]) -> Ranked | None:
    """The best cure of each cause that warns, together; None where fewer than two have one, or where they contradict."""
    cures: list[Ranked] = []
    for finding in findings:
        own = (each for each in ranked if each.is_cure and each.answers == finding.check.name)
        first = next(own, None) if finding.is_warning else None
        if first is not None:
            cures.append(first)
    if len(cures) < 2:
        return None
    whole: Recipe | None = cures[0].recipe
    for each in cures[1:]:
        whole = merged(recipe, whole, each.recipe) if whole is not None else None
    if whole is None or whole.digest in {each.recipe.digest for each in cures}:
        return None
    name, remedy = (" + ".join(words) for words in zip(*((each.name, each.remedy) for each in cures), strict=True))
    proposal = Proposal(name, whole, any(each.finds_rate for each in cures))
    return Ranked(remedy, cures[0].answers, proposal, sum(each.worth for each in cures), True)
