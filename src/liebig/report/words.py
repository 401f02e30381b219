"""The sentences about a whole study. A sentence about one finding is in its check."""

from __future__ import annotations

from dataclasses import dataclass

from liebig.core.study import Ended, Ran, Study
from liebig.report.data import (
    ChallengerTold,
    DiagnosisTold,
    FigureCard,
    Measure,
    PartTold,
    RungTold,
    SealTold,
    Standing,
    TrialTold,
)
from liebig.report.numbers import counted, decimals_for, decimals_of, duration, plain_number, signed


@dataclass(frozen=True, slots=True)
class Story:
    """What the sentences are made from."""

    study: Study
    measure: Measure
    seal: SealTold | None
    ladder: tuple[RungTold, ...]
    before: DiagnosisTold | None
    after: DiagnosisTold | None
    data: DiagnosisTold | None
    trials: tuple[TrialTold, ...]
    parts: tuple[PartTold, ...]
    challengers: tuple[ChallengerTold, ...]
    #: What the answer of `models` together is; "" where the best network answers.
    together: str = ""
    models: int = 1
    #: What more rows would bring; "" where that was not measured.
    growth: str = ""


@dataclass(frozen=True, slots=True)
class StoryTold:
    """A study in sentences. `summary` are the last lines of a terminal."""

    standing: Standing
    headline: str
    proof: str
    lead: tuple[str, ...]
    summary: tuple[str, ...]
    decimals: int
    cards: tuple[FigureCard, ...]
    footer: str


def plain_name(name: str) -> str:
    """``unscaled-inputs`` -> ``unscaled inputs``."""
    return name.replace("-", " ").replace("_", " ")


def standing_of(study: Study, seal: SealTold | None) -> Standing:
    if seal is None:
        return Standing.EMPTY if not any(study.all(Ran)) else Standing.OPEN
    sealed = study.sealed
    if sealed is not None and sealed.final == sealed.baseline:
        return Standing.NOTHING_HELPED
    if not seal.handed_over_is_final:
        return Standing.NOT_BETTER
    return Standing.PROVEN if seal.proven else Standing.GAINED


def tell_story(story: Story) -> StoryTold:
    """The first lines, the cards and the footer."""
    standing = standing_of(story.study, story.seal)
    decimals = _decimals(story)
    headline, proof = _headline(story, standing, decimals)
    lead = _lead(story, standing, decimals)
    return StoryTold(
        standing,
        headline,
        proof,
        lead,
        tuple(line for line in (headline, proof, *lead[: 3 if story.together else 2], story.growth) if line),
        decimals,
        _cards(story, standing, decimals),
        _footer(story),
    )


def _decimals(story: Story) -> int:
    """Digits of scores: what the sealed gain's interval supports; before the seal is opened, what the trials' do."""
    if story.seal and story.seal.effect.half_width > 0:
        return decimals_for(story.seal.effect.half_width)
    return decimals_of(each.effect for each in story.trials if each.effect)


def _baseline_name(story: Story) -> str:
    return story.ladder[0].name if story.ladder else "the first network"


def _the(name: str) -> str:
    return name if name.startswith(("the ", "The ")) else f"the {name}"


def _headline(story: Story, standing: Standing, decimals: int) -> tuple[str, str]:
    measure, seal = story.measure, story.seal
    if seal is None:
        if standing is Standing.EMPTY:
            return "No network has been trained yet.", ""
        best = story.ladder[-1] if story.ladder else None
        score = f": {measure.title} {plain_number(best.position, decimals)} in the trials" if best else ""
        return (
            f"The best so far is {_the(best.name) if best else 'the first network'}{score}.",
            "The seal is not opened yet, so that nothing is claimed of new data.",
        )
    effect = seal.effect
    span = f"{signed(effect.low, decimals)} to {signed(effect.high, decimals)}"
    if not measure.higher_is_better and standing in {Standing.PROVEN, Standing.GAINED}:
        # The headline tells how far it fell; so does the interval.
        tell = plain_number if standing is Standing.PROVEN else signed
        span = f"{tell(-effect.high, decimals)} to {tell(-effect.low, decimals)}"
    if standing is Standing.NOTHING_HELPED:
        return (
            "Nothing that was tried is shown to help.",
            f"{_the(_baseline_name(story)).capitalize()} is handed over: "
            f"{measure.title} {plain_number(seal.baseline_score, decimals)}.",
        )
    if standing is Standing.NOT_BETTER:
        return (
            "What won the trials was not better on the sealed data, "
            f"so {_the(_baseline_name(story))} is handed over: {plain_number(seal.baseline_score, decimals)}.",
            f"The winner's difference there was {signed(effect.difference, decimals)} {measure.title} ({span}).",
        )
    who, whose, never = "Your network", "Your network's", "it never saw"
    if story.together:
        who, whose = "Your model", "Your model's"
    if story.models > 1:
        who, whose, never = "Your models together", "Together your models'", "they never saw"
    first = f"{who} gained {signed(effect.difference, decimals)} {measure.title} on data {never}."
    if not measure.higher_is_better:
        fall = plain_number(-effect.difference, decimals)
        first = f"{whose} {measure.title} fell by {fall} on data {never}."
    if standing is Standing.PROVEN:
        return first, f"That is proven: {span}."
    return first, f"That is likely, but not proven: the interval, {span}, includes no gain at all."


def _lead(story: Story, standing: Standing, decimals: int) -> tuple[str, ...]:
    seal, ladder = story.seal, story.ladder
    sentences = []
    if seal is not None and standing in {Standing.PROVEN, Standing.GAINED}:
        sentences.append(
            f"{_the(_baseline_name(story)).capitalize()} reached {plain_number(seal.baseline_score, decimals)}; "
            f"what is handed over reaches {plain_number(seal.final_score, decimals)} on the same {seal.rows:,} rows."
        )
    if story.together and standing is not Standing.NOT_BETTER:
        # The first sentence tells what was gained, this one by whom.
        sentences.append(
            f"Its answer is {story.together}. That is a choice among many: the sealed part alone judges it."
        )
    if story.before and story.before.findings:
        strongest = story.before.findings[0]
        sentences.append(f"What limited it most: {_sentence(strongest.headline)}")
    if story.after and story.after.findings:
        sentences.append(f"What limits it now: {_sentence(story.after.findings[0].headline)}")
    elif story.after:
        sentences.append("No check that looked sees a limit now.")
    if seal is not None and seal.handed_over_is_final and seal.seeds > 1:
        sentences.append(
            f"What is handed over was trained from {seal.seeds} seeds with the time that was left: the mean of all answers."
        )
    if seal is not None and seal.handed_over_is_final and seal.fits > 1:
        sentences.append(
            f"Its trees were grown {seal.fits} times with the time that was left, each time stopped by other rows: the mean of all."
        )
    if story.growth:
        sentences.append(story.growth)
    judged = [each for each in story.trials if each.effect]
    rungs = [each for each in ladder[1:] if each.effect][: -1 if story.together else None]
    if judged:
        proven = sum(each.effect is not None and each.effect.verdict == "proven" for each in rungs)
        others = len(judged) - len(rungs)
        each = {0: "not yet proven", len(rungs): "all proven"}.get(proven, f"{proven} of them proven")
        each = each.replace("all ", "") if len(rungs) == 1 else each
        kept = f"{counted(len(rungs), 'change was', 'changes were')} kept, {each} in the trials"
        rest = f"; {counted(others, 'other was', 'others were')} tried and not kept" if others > 0 else ""
        sentences.append(
            f"{kept}{rest}." if rungs else f"{counted(len(judged), 'change was', 'changes were')} tried and not kept."
        )
    return tuple(sentences)


def _sentence(text: str) -> str:
    """`text` in the middle of a line, with one full stop."""
    head = text[:1].lower() + text[1:] if text[1:2].islower() and not text.startswith("I ") else text
    return f"{head.rstrip('.')}."


def _cards(story: Story, standing: Standing, decimals: int) -> tuple[FigureCard, ...]:
    measure, seal, ladder = story.measure, story.seal, story.ladder
    cards = []
    if seal is not None:
        where = f"{measure.title}, sealed part, {seal.rows:,} rows"
        cards.append(FigureCard(_baseline_name(story), plain_number(seal.baseline_score, decimals), where))
        if standing in {Standing.PROVEN, Standing.GAINED}:
            cost = f" · {duration(1000 * seal.seconds_per_row)} for 1,000 rows" if seal.seconds_per_row > 0 else ""
            cards.append(
                FigureCard("handed over", plain_number(seal.final_score, decimals), f"same rows{cost}", "gain")
            )
        elif standing is Standing.NOT_BETTER:
            cards.append(
                FigureCard(
                    "won the trials", plain_number(seal.final_score, decimals), "same rows, not handed over", "loss"
                )
            )
    elif ladder:
        cards.append(
            FigureCard(ladder[0].name, plain_number(ladder[0].position, decimals), f"{measure.title}, in the trials")
        )
        if len(ladder) > 1:
            cards.append(
                FigureCard("best so far", plain_number(ladder[-1].position, decimals), "in the same splits", "gain")
            )
    if story.challengers:
        best = story.challengers[0]
        # Judged in the trials' blocks, not on the sealed part: the difference is what can be compared.
        beside = (
            f"{plain_name(best.name)}, in the trials; {signed(best.effect.difference, decimals)} beside the network"
        )
        cards.append(FigureCard("best other algorithm", plain_number(best.score, decimals), beside))
    return tuple(cards)


def _footer(story: Story) -> str:
    study = story.study
    runs, ended = list(study.all(Ran)), study.last(Ended)
    sick = sum(not run.outcome.ending.usable for run in runs)
    facts = [
        counted(len(study.trials), "trial"),
        counted(len(runs), "network") + " trained",
        f"{duration(ended.seconds)} in all, {duration(ended.training_seconds)} of them in training" if ended else "",
        f"{counted(sick, 'network')} did not finish" if sick else "",
        f"seed {study.began.seed}",
        f"ended: {ended.reason.rstrip('.')}" if ended and ended.reason else "",
    ]
    return " · ".join(fact for fact in facts if fact)
