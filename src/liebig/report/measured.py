"""What was measured while training, and the explanations: curves, the network, histograms, capacity, columns, rows."""

from __future__ import annotations

from liebig.core.evidence import (
    AugmentedPictures,
    Confusion,
    EpochCurves,
    Measurement,
    NearDuplicates,
    Structure,
    SuspectLabels,
    UnitStatistics,
    WorstPictures,
)
from liebig.core.study import Capacity, ColumnImportance, Explained, Growth, NetworkCard, Ran, Study, WorstRows
from liebig.report.data import (
    AugmentedPicture,
    CapacityPoint,
    ConfusionTold,
    CopiedPicture,
    CurvesTold,
    DuplicatesTold,
    Effect,
    GrowthTold,
    Histogram,
    ImportanceTold,
    LayerHistograms,
    LayerTold,
    Measure,
    NetworkTold,
    SuspectPicture,
    SuspectsTold,
    WorstPicture,
    WorstRow,
)
from liebig.report.numbers import decimals_of, signed
from liebig.report.scores import effect_of, final_of

#: Mistakes that are told by name.
_MISTAKES = 5


def _runs(study: Study, digest: str) -> list[Ran]:
    """Runs of one recipe: full ones first, then by block."""
    runs = [ran for (each, _), blocks in study.scores.items() if each == digest for ran in blocks.values()]
    return sorted(runs, key=lambda ran: (-ran.fidelity.rows * ran.fidelity.epochs, ran.block))


def all_curves(study: Study, final: str | None) -> tuple[CurvesTold, ...]:
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


def network_told(study: Study, final: str | None) -> NetworkTold | None:
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


def histograms_told(study: Study, final: str | None) -> tuple[LayerHistograms, ...]:
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


def capacity_told(study: Study) -> tuple[CapacityPoint, ...]:
    what = _explained(study, Capacity)
    if not isinstance(what, Capacity):
        return ()
    rows = zip(what.names, what.parameters, what.fit_score, what.select_score, strict=True)
    return tuple(sorted((CapacityPoint(*row) for row in rows), key=lambda point: point.parameters))


def growth_told(study: Study, measure: Measure) -> GrowthTold | None:
    """What more rows would bring: to what is handed over where it was measured, else to the last recipe that it was measured of."""
    found = [each for each in study.all(Explained) if isinstance(each.what, Growth) and each.what.is_measured]
    own = [each for each in found if each.digest == final_of(study)]
    if not found:
        return None
    chosen = (own or found)[-1]
    what = chosen.what
    assert isinstance(what, Growth)
    noted = study.recipes.get(chosen.digest)
    twice = effect_of(measure, what.twice, what.low, what.high, blocks=what.blocks)
    line = tuple(zip(what.line_rows, what.line, what.line_low, what.line_high, strict=True))
    points = tuple(zip(what.rows, what.scores, strict=True))
    name = noted.name if noted else chosen.digest
    sentence = _of_twice(measure, twice, "" if own else f" (measured of {name})")
    return GrowthTold(name, points, line, what.now, twice, sentence)


def _of_twice(measure: Measure, twice: Effect, whose: str) -> str:
    """What twice the rows would bring, as far as that is known."""
    decimals = decimals_of([twice])
    told = f"{signed(twice.difference, decimals)} {measure.title}"
    between = f"{signed(twice.low, decimals)} to {signed(twice.high, decimals)}"
    surely = twice.low > 0 if measure.higher_is_better else twice.high < 0
    if surely:
        return f"Twice the rows should bring {told} ({between}){whose}."
    good = twice.high if measure.higher_is_better else -twice.low
    if good <= 0:
        return f"Twice the rows should bring nothing{whose}."
    return f"Twice the rows are not known to help: {told} ({between}){whose}."


def importance_told(study: Study, measure: Measure) -> tuple[ImportanceTold, ...]:
    what = _explained(study, ColumnImportance, final_of(study))
    if not isinstance(what, ColumnImportance):
        return ()
    return tuple(ImportanceTold(*row) for row in zip(what.columns, what.loss, what.low, what.high, strict=True))


def worst_rows_told(study: Study) -> tuple[WorstRow, ...]:
    what = _explained(study, WorstRows, final_of(study))
    if not isinstance(what, WorstRows):
        return ()
    return tuple(WorstRow(*row) for row in zip(what.rows, what.truth, what.answer, what.loss, what.cells, strict=True))


def worst_pictures_told(study: Study) -> tuple[WorstPicture, ...]:
    what = _explained(study, WorstPictures, final_of(study))
    if not isinstance(what, WorstPictures):
        return ()
    rows = zip(what.names, what.truth, what.answer, what.loss, what.pictures, strict=True)
    return tuple(WorstPicture(*row) for row in rows)


def suspects_told(study: Study) -> SuspectsTold | None:
    what = _explained(study, SuspectLabels, final_of(study))
    if not isinstance(what, SuspectLabels):
        return None
    rows = zip(what.names, what.labels, what.rather, what.margins, what.pictures, strict=True)
    return SuspectsTold(tuple(SuspectPicture(*row) for row in rows), what.asked, what.agreed)


def duplicates_told(study: Study) -> DuplicatesTold | None:
    what = _explained(study, NearDuplicates)
    if not isinstance(what, NearDuplicates):
        return None
    shown = tuple(
        tuple(CopiedPicture(*each) for each in zip(*group, strict=True))
        for group in zip(what.names, what.labels, what.tested, what.pictures, strict=True)
    )
    return DuplicatesTold(shown, what.groups, what.contradicting)


def confusion_told(study: Study) -> ConfusionTold | None:
    what = _explained(study, Confusion, final_of(study))
    if not isinstance(what, Confusion):
        return None
    mistakes = [
        (truth, answer, count)
        for truth, row in zip(what.classes, what.counts, strict=True)
        for answer, count in zip(what.classes, row, strict=True)
        if truth != answer and count
    ]
    mistakes.sort(key=lambda each: -each[2])
    return ConfusionTold(what.classes, what.counts, tuple(mistakes[:_MISTAKES]))


def augmented_told(study: Study) -> tuple[AugmentedPicture, ...]:
    what = _explained(study, AugmentedPictures, final_of(study))
    if not isinstance(what, AugmentedPictures):
        return ()
    return tuple(AugmentedPicture(*row) for row in zip(what.names, what.plain, what.changed, strict=True))
