"""Scores, differences as the user reads them, the seal, and the challengers."""

from __future__ import annotations

from dataclasses import replace

from liebig.core.metric import ALL as METRICS
from liebig.core.study import Challenged, Study
from liebig.core.trial import Look, Verdict
from liebig.report.data import ChallengerTold, Effect, Measure, SealTold


def measure_of(study: Study) -> Measure:
    began = study.began
    known = next((each for each in METRICS if each.name == began.metric), None)
    return Measure(began.metric, known.title if known else began.metric, began.higher_is_better)


def effect_of(
    measure: Measure, difference: float, low: float, high: float, verdict: str = "", blocks: int = 0
) -> Effect:
    """An oriented difference, as the user reads it."""
    if measure.higher_is_better:
        return Effect(difference, low, high, verdict, blocks)
    return Effect(-difference, -high, -low, verdict, blocks)


def seen_effect(measure: Measure, look: Look, verdict: Verdict | None) -> Effect:
    return effect_of(measure, look.difference, look.low, look.high, (verdict or look.verdict).value, look.blocks)


def worth_effect(measure: Measure, look: Look, verdict: Verdict | None) -> Effect:
    """An ablation's look tells control - treatment: what the part is worth. Told as what leaving it out costs."""
    kept = seen_effect(measure, look, verdict)
    return replace(kept, difference=-kept.difference, low=-kept.high, high=-kept.low)


def seal_told(study: Study, measure: Measure) -> SealTold | None:
    sealed = study.sealed
    if sealed is None:
        return None
    return SealTold(
        sealed.baseline_score,
        sealed.final_score,
        effect_of(measure, sealed.gain, sealed.low, sealed.high),
        sealed.proven,
        sealed.rows,
        sealed.handed_over == sealed.final,
        sealed.predict_seconds_per_row,
        sealed.epochs,
        sealed.seeds,
        sealed.fits,
    )


def final_of(study: Study) -> str | None:
    """The recipe that is handed over, or speaks for the models that answer together; before the seal is opened, the best
    so far."""
    return study.network_of(study.sealed.handed_over) if study.sealed else study.incumbent


def challengers_told(study: Study, measure: Measure) -> tuple[ChallengerTold, ...]:
    last = {each.name: each for each in study.all(Challenged)}
    told = [
        ChallengerTold(
            each.name,
            each.score,
            effect_of(measure, each.difference, each.low, each.high, blocks=each.blocks),
            each.seconds,
        )
        for each in last.values()
    ]
    return tuple(sorted(told, key=lambda each: -each.score if measure.higher_is_better else each.score))
