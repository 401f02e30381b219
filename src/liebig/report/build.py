"""Study -> `ReportData`: everything that the report says, decided here once for all renderers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from liebig.core.check import Check, Stave, Telling
from liebig.core.evidence import EpochCurves, Measurement, Structure, UnitStatistics
from liebig.core.metric import ALL as METRICS
from liebig.core.study import (
    Capacity,
    Challenged,
    ColumnImportance,
    Diagnosed,
    Ended,
    Explained,
    FindingNote,
    NetworkCard,
    Purpose,
    Ran,
    RoundBegan,
    Rung,
    Study,
    Trial,
    WorstRows,
)
from liebig.core.trial import Look, Verdict
from liebig.report.data import (
    CapacityPoint,
    ChallengerTold,
    CurvesTold,
    DiagnosisTold,
    Effect,
    FindingTold,
    Histogram,
    ImportanceTold,
    LayerHistograms,
    LayerTold,
    Measure,
    NetworkTold,
    PartTold,
    RecipeChange,
    ReportData,
    RungTold,
    SealTold,
    StaveTold,
    TrialTold,
    WorstRow,
)
from liebig.report.populations import training_notes
from liebig.report.toml import toml_of, toml_value
from liebig.report.words import Story, plain_name, tell_story

_DATA = "data"


def report_data(study: Study, checks: Sequence[Check] = (), *, recipe_toml: str | None = None) -> ReportData:
    """Everything that the report says of `study`.

    `checks` are those whose findings stand in the ledger: they tell them in words and say which stave each belongs to;
    a finding of an unknown check is told by its name and facts. `recipe_toml` is the recipe handed over as TOML; without
    it the recipe's own plain form is printed. Raises ValueError for a study without a Began entry.
    """
    teller = _Teller({check.name: check for check in checks})
    measure = _measure(study)
    seal = _seal(study, measure)
    final = _final(study)
    story = Story(
        study=study,
        measure=measure,
        seal=seal,
        ladder=_ladder(study, measure, teller),
        before=_diagnosis(study, study.baseline, teller),
        after=_diagnosis(study, final, teller) if final != study.baseline else None,
        data=_data_diagnosis(study, teller),
        trials=tuple(_trial(study, each, measure, teller) for each in study.trials if _is_competition(each)),
        parts=_parts(study, final, measure, teller),
        challengers=_challengers(study, measure),
    )
    told = tell_story(story)
    recipe = study.recipes[final].recipe if final else None
    return ReportData(
        name=study.began.name,
        target=study.began.target,
        task=study.began.kind.value,
        measure=measure,
        standing=told.standing,
        headline=told.headline,
        proof=told.proof,
        lead=told.lead,
        summary=told.summary,
        decimals=told.decimals,
        cards=told.cards,
        seal=seal,
        ladder=story.ladder,
        before=story.before,
        after=story.after,
        data=story.data,
        parts=story.parts,
        trials=story.trials,
        challengers=story.challengers,
        curves=_curves(study, final),
        network=_network(study, final),
        histograms=_histograms(study, final),
        capacity=_capacity(study),
        importance=_importance(study, measure),
        worst_rows=_worst_rows(study),
        recipe_name=study.recipes[final].name if final else "",
        recipe_toml=recipe_toml if recipe_toml is not None else (toml_of(recipe.plain()) if recipe else ""),
        changes=_changes(study, final),
        environment=_environment(study),
        notes=(*study.began.notes, *training_notes(study)),
        footer=told.footer,
    )


# --- the words of the checks -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Teller:
    """Findings of the ledger in words."""

    checks: Mapping[str, Check]

    def stave(self, name: str) -> Stave | None:
        check = self.checks.get(name)
        return check.stave if check else None

    def tell(self, note: FindingNote) -> Telling:
        check = self.checks.get(note.check)
        if check is not None:
            try:
                return check.tell(note.facts, note.place)
            except (KeyError, ValueError):
                # A ledger written by an older version lacks facts that today's words name.
                pass
        facts = ", ".join(
            f"{plain_name(name)} {fact.value}{fact.unit and ' '}{fact.unit}" for name, fact in note.facts.items()
        )
        return Telling(f"{plain_name(note.check).capitalize()}{f' ({note.place})' if note.place else ''}", facts, "")

    def finding(self, note: FindingNote) -> FindingTold:
        told, stave = self.tell(note), self.stave(note.check)
        certainty = "certain" if note.strength >= 0.9 else "likely" if note.strength >= 0.5 else "hint"
        return FindingTold(
            note.check,
            stave.value if stave else "",
            note.strength,
            certainty,
            told.headline,
            told.evidence,
            told.advice,
            tuple(self.tell(each).headline for each in _beneath(note)),
        )


def _beneath(note: FindingNote) -> Iterator[FindingNote]:
    for each in note.consequences:
        yield each
        yield from _beneath(each)


def _diagnosed(study: Study, digest: str | None) -> Diagnosed | None:
    return next(
        (each for each in reversed(study.entries) if isinstance(each, Diagnosed) and each.digest == digest), None
    )


def _diagnosis(study: Study, digest: str | None, teller: _Teller) -> DiagnosisTold | None:
    """The diagnosis of one recipe. The barrel also holds what was found in the data, which every recipe shares."""
    own, shared = _diagnosed(study, digest), _diagnosed(study, _DATA)
    if digest is None or own is None:
        return None
    return _told(study.recipes[digest].name if digest in study.recipes else digest, own, (own, shared), teller)


def _data_diagnosis(study: Study, teller: _Teller) -> DiagnosisTold | None:
    own = _diagnosed(study, _DATA)
    return _told("the data", own, (own,), teller) if own else None


def _told(name: str, own: Diagnosed, barrel: Sequence[Diagnosed | None], teller: _Teller) -> DiagnosisTold:
    answers = [answer.partition(":")[0] for answer in own.others.values()]
    return DiagnosisTold(
        name,
        tuple(teller.finding(note) for note in sorted(own.findings, key=lambda each: -each.strength)),
        tuple(_stave(stave, [each for each in barrel if each], teller) for stave in Stave),
        answers.count("clear"),
        answers.count("not applicable"),
        answers.count("not measured"),
    )


def _stave(stave: Stave, diagnoses: Sequence[Diagnosed], teller: _Teller) -> StaveTold:
    found = [
        each
        for diagnosis in diagnoses
        for note in diagnosis.findings
        for each in (note, *_beneath(note))
        if teller.stave(each.check) is stave
    ]
    if found:
        strongest = max(found, key=lambda note: note.strength)
        return StaveTold(stave.value, 1.0 - strongest.strength, teller.tell(strongest).headline)
    clear = any(
        teller.stave(name) is stave and answer == "clear"
        for diagnosis in diagnoses
        for name, answer in diagnosis.others.items()
    )
    return StaveTold(stave.value, 1.0 if clear else math.nan, "")


# --- scores and differences --------------------------------------------------------------------------------


def _measure(study: Study) -> Measure:
    began = study.began
    known = next((each for each in METRICS if each.name == began.metric), None)
    return Measure(began.metric, known.title if known else began.metric, began.higher_is_better)


def _effect(measure: Measure, difference: float, low: float, high: float, verdict: str = "", blocks: int = 0) -> Effect:
    """An oriented difference, as the user reads it."""
    if measure.higher_is_better:
        return Effect(difference, low, high, verdict, blocks)
    return Effect(-difference, -high, -low, verdict, blocks)


def _seen(measure: Measure, look: Look, verdict: Verdict | None) -> Effect:
    return _effect(measure, look.difference, look.low, look.high, (verdict or look.verdict).value, look.blocks)


def _worth(measure: Measure, look: Look, verdict: Verdict | None) -> Effect:
    """An ablation's look tells control - treatment: what the part is worth. Told as what leaving it out costs."""
    kept = _seen(measure, look, verdict)
    return replace(kept, difference=-kept.difference, low=-kept.high, high=-kept.low)


def _seal(study: Study, measure: Measure) -> SealTold | None:
    sealed = study.sealed
    if sealed is None:
        return None
    return SealTold(
        sealed.baseline_score,
        sealed.final_score,
        _effect(measure, sealed.gain, sealed.low, sealed.high),
        sealed.proven,
        sealed.rows,
        sealed.handed_over == sealed.final,
        sealed.predict_seconds_per_row,
        sealed.epochs,
    )


def _final(study: Study) -> str | None:
    """What is handed over; before the seal is opened, the best so far."""
    return study.sealed.handed_over if study.sealed else study.incumbent


def _challengers(study: Study, measure: Measure) -> tuple[ChallengerTold, ...]:
    last = {each.name: each for each in study.all(Challenged)}
    told = [
        ChallengerTold(
            each.name,
            each.score,
            _effect(measure, each.difference, each.low, each.high, blocks=each.blocks),
            each.seconds,
        )
        for each in last.values()
    ]
    return tuple(sorted(told, key=lambda each: -each.score if measure.higher_is_better else each.score))


# --- ladder, parts, trials ---------------------------------------------------------------------------------


def _why(study: Study, answers: str, control: str, teller: _Teller) -> str:
    """The headline of the finding that a treatment answers: as it was found in its control, else in the baseline."""
    if not answers:
        return ""
    for digest in (control, study.baseline, _DATA):
        diagnosed = _diagnosed(study, digest)
        notes = [each for note in diagnosed.findings for each in (note, *_beneath(note))] if diagnosed else []
        found = next((note for note in notes if note.check == answers), None)
        if found:
            return teller.tell(found).headline.rstrip(".")
    return plain_name(answers)


def _controls(study: Study) -> dict[int, str]:
    return {begun.number: begun.control for begun in study.all(RoundBegan)}


def _ladder(study: Study, measure: Measure, teller: _Teller) -> tuple[RungTold, ...]:
    controls, told, position = _controls(study), [], math.nan
    rungs = study.rungs
    for before, rung in zip((None, *rungs), rungs, strict=False):
        effect = _seen(measure, rung.look, rung.verdict) if rung.look else None
        if math.isnan(position):
            position = rung.score
        elif effect:
            position += effect.difference
        why = _why(study, rung.treatment.answers, controls.get(rung.round, ""), teller) if rung.treatment else ""
        parts = _parts_of_rung(study, before, rung, measure, teller) if before else ()
        told.append(RungTold(rung.name, why, rung.score, position, effect, rung.at, parts))
    return tuple(told)


def _ablations(study: Study, digest: str, measure: Measure, teller: _Teller) -> tuple[PartTold, ...]:
    """Measured parts of one recipe, the most valuable first."""
    parts = [
        PartTold(
            each.treatment.name,
            _why(study, each.treatment.answers, study.baseline or "", teller),
            _worth(measure, each.looks[-1], each.verdict) if each.looks else None,
        )
        for each in study.trials
        if each.purpose is Purpose.ABLATION and each.control == digest
    ]
    sign = 1.0 if measure.higher_is_better else -1.0
    return tuple(sorted(parts, key=lambda part: sign * part.worth.difference if part.worth else math.inf))


def _parts_of_rung(study: Study, before: Rung, rung: Rung, measure: Measure, teller: _Teller) -> tuple[PartTold, ...]:
    """What stands beneath a rung that changed several things at once: each part's worth, or "not measured"."""
    measured = _ablations(study, rung.digest, measure, teller)
    if measured:
        return measured
    changes = study.recipes[before.digest].recipe.diff(study.recipes[rung.digest].recipe)
    heads = {".".join(change.path.split(".")[:2]): None for change in changes}
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


def _parts(study: Study, final: str | None, measure: Measure, teller: _Teller) -> tuple[PartTold, ...]:
    """The leave-one-out table: of the recipe handed over where it was measured, else of the last one that was."""
    order = [final] if final else []
    order += [each.control for each in reversed(study.trials) if each.purpose is Purpose.ABLATION]
    return next((parts for parts in (_ablations(study, each, measure, teller) for each in order) if parts), ())


def _is_competition(trial: Trial) -> bool:
    return trial.purpose is not Purpose.ABLATION


def _trial(study: Study, trial: Trial, measure: Measure, teller: _Teller) -> TrialTold:
    beside = study.recipes.get(trial.control)
    return TrialTold(
        trial.treatment.name,
        _why(study, trial.treatment.answers, trial.control, teller),
        trial.purpose.value,
        trial.round,
        beside.name if beside else trial.control,
        _seen(measure, trial.looks[-1], trial.verdict) if trial.looks else None,
        trial.adopted,
        trial.reason,
        trial.fidelity.is_full,
        len(trial.looks),
    )


# --- what was measured while training ----------------------------------------------------------------------


def _runs(study: Study, digest: str) -> list[Ran]:
    """Runs of one recipe: full ones first, then by block."""
    runs = [ran for (each, _), blocks in study.scores.items() if each == digest for ran in blocks.values()]
    return sorted(runs, key=lambda ran: (-ran.fidelity.rows * ran.fidelity.epochs, ran.block))


def _curves(study: Study, final: str | None) -> tuple[CurvesTold, ...]:
    digests = dict.fromkeys(each for each in (study.baseline, final) if each)
    told = []
    for digest in digests:
        curves = next((seen for ran in _runs(study, digest) if (seen := ran.evidence.get(EpochCurves))), None)
        if curves is not None:
            told.append(curves_told(study.recipes[digest].name, curves))
    return tuple(told)


def curves_told(name: str, curves: EpochCurves) -> CurvesTold:
    """One run's curves under the name that the page shows."""
    return CurvesTold(
        name,
        curves.train_loss,
        curves.stop_loss,
        curves.train_metric,
        curves.stop_metric,
        curves.rates,
        curves.selected,
    )


def _explained(study: Study, kind: type[Measurement], digest: str | None = None) -> Measurement | None:
    """The last explanation of this kind: of `digest` where it was made, else of any recipe."""
    found = [each for each in study.all(Explained) if isinstance(each.what, kind)]
    own = [each for each in found if each.digest == digest]
    return (own or found)[-1].what if found else None


def _network(study: Study, final: str | None) -> NetworkTold | None:
    card = _explained(study, NetworkCard, final)
    structure = card.evidence.get(Structure) if isinstance(card, NetworkCard) else None
    if structure is None and final:
        structure = next((seen for ran in _runs(study, final) if (seen := ran.evidence.get(Structure))), None)
    if structure is None:
        return None
    layers = tuple(
        LayerTold(
            each.name,
            each.kind,
            each.inputs,
            each.outputs,
            each.parameters,
            each.trained,
            each.flops,
            each.activation,
        )
        for each in structure.layers
    )
    return NetworkTold(
        structure.family, structure.members, layers, structure.parameters, structure.trained, structure.flops
    )


def _histograms(study: Study, final: str | None) -> tuple[LayerHistograms, ...]:
    seen = next((each for ran in _runs(study, final or "") if (each := ran.evidence.get(UnitStatistics))), None)
    if seen is None or not seen.looks:
        return ()
    pairs = zip(seen.looks[0], seen.looks[-1], strict=False)
    return tuple(
        LayerHistograms(
            last.layer,
            last.activation,
            Histogram(seen.steps[0], first.histogram, first.edges),
            Histogram(seen.steps[-1], last.histogram, last.edges),
            last.dead,
            last.saturated,
        )
        for first, last in pairs
        if first.histogram and last.histogram
    )


def _capacity(study: Study) -> tuple[CapacityPoint, ...]:
    what = _explained(study, Capacity)
    if not isinstance(what, Capacity):
        return ()
    rows = zip(what.names, what.parameters, what.fit_score, what.select_score, strict=True)
    return tuple(sorted((CapacityPoint(*row) for row in rows), key=lambda point: point.parameters))


def _importance(study: Study, measure: Measure) -> tuple[ImportanceTold, ...]:
    what = _explained(study, ColumnImportance, _final(study))
    if not isinstance(what, ColumnImportance):
        return ()
    return tuple(ImportanceTold(*row) for row in zip(what.columns, what.loss, what.low, what.high, strict=True))


def _worst_rows(study: Study) -> tuple[WorstRow, ...]:
    what = _explained(study, WorstRows, _final(study))
    if not isinstance(what, WorstRows):
        return ()
    return tuple(WorstRow(*row) for row in zip(what.rows, what.truth, what.answer, what.loss, what.cells, strict=True))


# --- recipe and environment --------------------------------------------------------------------------------


def _changes(study: Study, final: str | None) -> tuple[RecipeChange, ...]:
    if study.baseline is None or final is None or final == study.baseline:
        return ()
    changes = study.recipes[study.baseline].recipe.diff(study.recipes[final].recipe)
    return tuple(RecipeChange(each.path, toml_value(each.before), toml_value(each.after)) for each in changes)


def _environment(study: Study) -> dict[str, str]:
    machine, ended, began = study.began.machine, study.last(Ended), study.began
    gain = f" (measured {machine.precision_gain:.1f} times the speed of float32)" if machine.precision_gain > 1 else ""
    facts = {
        "system": machine.system,
        "processor": f"{machine.processor}, {machine.cores} core{'s' if machine.cores != 1 else ''}",
        "memory": f"{machine.memory_gib:.1f} GiB" + (f", {ended.peak_gib:.2f} GiB used at most" if ended else ""),
        "device": machine.device,
        "precision": f"{machine.precision}{gain}",
        "seed": str(began.seed),
        "data": f"fingerprint {began.fingerprint}" if began.fingerprint else "",
        "options": ", ".join(f"{name} {value}" for name, value in began.options.items()),
        "versions": ", ".join(f"{name} {version}" for name, version in machine.versions.items()),
    }
    return {name: value for name, value in facts.items() if value}
