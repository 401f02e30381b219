"""The ladder, the parts beneath its rungs, and the trials."""

from __future__ import annotations

import math
from collections.abc import Mapping

from liebig.core.study import Purpose, RoundBegan, Rung, Study, Trial
from liebig.core.trial import Look
from liebig.report.data import Measure, PartTold, RungTold, TrialTold
from liebig.report.findings import DATA, Teller, beneath, diagnosed_of
from liebig.report.scores import seen_effect, worth_effect
from liebig.report.words import plain_name


def _why(study: Study, answers: str, control: str, teller: Teller) -> str:
    """The headline of the finding that a treatment answers: as it was found in its control, else in the baseline."""
    if not answers:
        return ""
    for digest in (control, study.baseline, DATA):
        diagnosed = diagnosed_of(study, digest)
        notes = [each for note in diagnosed.findings for each in (note, *beneath(note))] if diagnosed else []
        found = next((note for note in notes if note.check == answers), None)
        if found:
            return teller.tell(found).headline.rstrip(".")
    return plain_name(answers)


def _with_time(why: str, purpose: Purpose | None, look: Look | None) -> str:
    """What is to save time also tells how much whole trainings took less."""
    if purpose is not Purpose.SAVING or look is None or not math.isfinite(look.seconds_ratio):
        return why
    told = f"whole trainings {look.seconds_ratio:.1f} times as fast ({look.seconds_low:.1f} to {look.seconds_high:.1f})"
    return f"{why}; {told}" if why else told


def _controls(study: Study) -> dict[int, str]:
    return {begun.number: begun.control for begun in study.all(RoundBegan)}


def ladder_told(study: Study, measure: Measure, teller: Teller) -> tuple[RungTold, ...]:
    controls, told, position = _controls(study), [], math.nan
    purposes = {begun.number: begun.purpose for begun in study.all(RoundBegan)}
    rungs = study.rungs
    for before, rung in zip((None, *rungs), rungs, strict=False):
        effect = seen_effect(measure, rung.look, rung.verdict) if rung.look else None
        if math.isnan(position):
            position = rung.score
        elif effect:
            position += effect.difference
        why = _why(study, rung.treatment.answers, controls.get(rung.round, ""), teller) if rung.treatment else ""
        why = _with_time(why, purposes.get(rung.round), rung.look)
        parts = _parts_of_rung(study, before, rung, measure, teller) if before else ()
        told.append(RungTold(rung.name, why, rung.score, position, effect, rung.at, parts))
    return tuple(told)


def _ablations(study: Study, digest: str, measure: Measure, teller: Teller) -> tuple[PartTold, ...]:
    """Measured parts of one recipe, the most valuable first."""
    parts = [
        PartTold(
            each.treatment.name,
            _why(study, each.treatment.answers, study.baseline or "", teller),
            worth_effect(measure, each.looks[-1], each.verdict) if each.looks else None,
        )
        for each in study.trials
        if each.purpose is Purpose.ABLATION and each.control == digest
    ]
    sign = 1.0 if measure.higher_is_better else -1.0
    return tuple(sorted(parts, key=lambda part: sign * part.worth.difference if part.worth else math.inf))


def _parts_of_rung(study: Study, before: Rung, rung: Rung, measure: Measure, teller: Teller) -> tuple[PartTold, ...]:
    """What stands beneath a rung that changed several things at once: each part's worth, or "not measured"."""
    measured = _ablations(study, rung.digest, measure, teller)
    if measured:
        return measured
    changes = study.recipes[before.digest].recipe.diff(study.recipes[rung.digest].recipe)
    # Where a record of another kind stands in a slot, all its fields are one change.
    exchanged = {change.path.removesuffix(".kind") for change in changes if change.path.count(".") == 1
                 and change.path.endswith(".kind")}  # fmt: skip
    places = (change.path.split(".")[:2] for change in changes)
    heads = {place[0] if place[0] in exchanged else ".".join(place): None for place in places}
    if len(heads) < 3:
        return ()
    return tuple(PartTold(_part_name(study, rung.digest, head), "", None) for head in heads)


def _part_name(study: Study, digest: str, head: str) -> str:
    value: object = study.recipes[digest].recipe.plain()
    for key in head.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        value = value.get("kind", "on")
    return f"{head}: {'none' if value is None else value}"


def parts_told(study: Study, final: str | None, measure: Measure, teller: Teller) -> tuple[PartTold, ...]:
    """The leave-one-out table: of the recipe handed over where it was measured, else of the last one that was."""
    order = [final] if final else []
    order += [each.control for each in reversed(study.trials) if each.purpose is Purpose.ABLATION]
    return next((parts for parts in (_ablations(study, each, measure, teller) for each in order) if parts), ())


def is_competition(trial: Trial) -> bool:
    return trial.purpose is not Purpose.ABLATION


def trial_told(study: Study, trial: Trial, measure: Measure, teller: Teller) -> TrialTold:
    beside = study.recipes.get(trial.control)
    why = _why(study, trial.treatment.answers, trial.control, teller)
    return TrialTold(
        trial.treatment.name,
        _with_time(why, trial.purpose, trial.looks[-1] if trial.looks else None),
        trial.purpose.value,
        trial.round,
        beside.name if beside else trial.control,
        seen_effect(measure, trial.looks[-1], trial.verdict) if trial.looks else None,
        trial.adopted,
        trial.reason,
        trial.fidelity.is_full,
        len(trial.looks),
    )
