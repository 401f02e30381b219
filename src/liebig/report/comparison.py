"""Several recipes or runs side by side: their curves, their scores, what the trial says of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from liebig.core.evidence import EpochCurves, Evidence, Structure
from liebig.core.metric import ALL as METRICS
from liebig.core.trial import Look
from liebig.report.data import CurvesTold, Effect, Measure
from liebig.report.figures.intervals import Forest, Row, forest_figure
from liebig.report.figures.lines import Chart, Series, chart_figure, epochs
from liebig.report.html import effect_text, environment
from liebig.report.measured import curves_told
from liebig.report.numbers import decimals_of, duration, score_text
from liebig.report.plain import plain_value
from liebig.report.svg import CARD, PHONE
from liebig.report.text import curve_lines, padded

_STYLES = 8  # lines that the style sheet tells apart by colour and dash


@dataclass(frozen=True, slots=True)
class Compared:
    """One recipe or run. `score` is as the user reads it (NaN: not known), `error` its standard error; `look` is what the
    trial says of it beside the first one, None for the first and where no trial was run."""

    name: str
    evidence: Evidence
    look: Look | None = None
    score: float = math.nan
    error: float = math.nan
    epochs: int = 0
    seconds: float = math.nan
    ending: str = ""


@dataclass(frozen=True, slots=True)
class ComparedTold:
    name: str
    score: float
    error: float
    effect: Effect | None
    curves: CurvesTold | None
    parameters: int
    epochs: int
    seconds: float
    ending: str


@dataclass(frozen=True, slots=True)
class ComparisonData:
    """A comparison, told. Differences are beside `first`, as the user reads them."""

    name: str
    measure: Measure
    headline: str
    first: str
    compared: tuple[ComparedTold, ...]
    decimals: int


def comparison_data(name: str, metric: str, higher_is_better: bool, compared: Sequence[Compared]) -> ComparisonData:
    """What the page says. `name` is the table's or the runs', `metric` as in `core.metric`.

    Raises ValueError when nothing is compared.
    """
    if not compared:
        raise ValueError("a comparison needs at least one recipe or run, however none came")
    known = next((each for each in METRICS if each.name == metric), None)
    measure = Measure(metric, known.title if known else metric, higher_is_better)
    told = tuple(_told(each, higher_is_better) for each in compared)
    return ComparisonData(
        name,
        measure,
        _headline(told, measure),
        told[0].name,
        told,
        decimals_of(each.effect for each in told if each.effect),
    )


def _told(each: Compared, higher_is_better: bool) -> ComparedTold:
    curves, structure, look = each.evidence.get(EpochCurves), each.evidence.get(Structure), each.look
    effect = None
    if look is not None:
        sign = 1.0 if higher_is_better else -1.0
        low, high = sorted((sign * look.low, sign * look.high))
        effect = Effect(sign * look.difference, low, high, look.verdict.value, look.blocks)
    return ComparedTold(
        each.name,
        each.score,
        each.error,
        effect,
        curves_told(each.name, curves) if curves else None,
        structure.parameters if structure else 0,
        each.epochs or (curves.selected + 1 if curves else 0),
        each.seconds if math.isfinite(each.seconds) or not curves or not curves.seconds else curves.seconds[-1],
        each.ending,
    )


def _headline(told: Sequence[ComparedTold], measure: Measure) -> str:
    judged = [each for each in told if each.effect]
    if not judged:
        return f"{len(told)} runs side by side. Their curves alone prove nothing: no trial was run."
    best = max(judged, key=lambda each: _turned(each, measure))
    effect = best.effect
    first = told[0].name
    if effect is None or not measure.is_better(effect.difference):
        return f"Nothing is better than {first}."
    said = effect_text(effect, decimals_of([effect]))
    if effect.verdict == "proven":
        return f"{best.name} is better than {first} by {said} {measure.title}. That is proven."
    if effect.verdict == "likely":
        return f"{best.name} is likely better than {first}: {said} {measure.title}. That is not proven."
    return f"Nothing is shown to be better than {first}. Nearest: {best.name}, {said} {measure.title}."


def _turned(each: ComparedTold, measure: Measure) -> float:
    difference = each.effect.difference if each.effect else -math.inf
    return difference if measure.higher_is_better else -difference


def comparison_to_html(data: ComparisonData) -> str:
    """One offline page."""
    rows = tuple(Row(each.name, "", each.effect) for each in data.compared if each.effect)
    forest = Forest(rows, data.measure.higher_is_better, f"difference in {data.measure.title}")
    figure = forest_figure(forest, f"Differences to {data.first} with their intervals.") if rows else Markup("")
    charts = tuple(_charts(data))
    return environment().get_template("comparison.html.j2").render(data=data, forest=figure, charts=charts)


def _charts(data: ComparisonData) -> Iterator[Markup]:
    curves = [(i % _STYLES, each.curves) for i, each in enumerate(data.compared) if each.curves]
    drawn = (
        (
            f"{data.measure.title} on the stop part",
            [(i, each.name, each.stop_metric, each.selected) for i, each in curves],
        ),
        (f"{data.measure.title} on training rows", [(i, each.name, each.train_metric, -1) for i, each in curves]),
        ("loss on the stop part", [(i, each.name, each.stop_loss, each.selected) for i, each in curves]),
        ("loss on training rows", [(i, each.name, each.train_loss, -1) for i, each in curves]),
        ("learning rate", [(i, each.name, each.rates, -1) for i, each in curves]),
    )
    for title, lines in drawn:
        series = tuple(Series(name, epochs(ys), ys, f"run{i}", mark) for i, name, ys, mark in lines)
        if any(math.isfinite(value) for each in series for value in each.ys):
            names = ", ".join(each.name for each in series)
            told = f"{title[:1].upper()}{title[1:]} by epoch: {names}."
            yield chart_figure(Chart(title, "epoch", series, marked="selected"), told, (PHONE, CARD))


def comparison_to_text(data: ComparisonData) -> str:
    """A verdict table and each run's curves, at most 100 columns."""
    lines = [data.headline, "", f"{'':34} {data.measure.title:>12}  {'beside ' + data.first:<36}"[:100].rstrip()]
    for each in data.compared:
        score = score_text(each.score, each.error)
        told = f"{effect_text(each.effect, data.decimals):<34} {each.effect.verdict}" if each.effect else ""
        lines.append(f"{padded(each.name, 34)} {score:>12}  {told}".rstrip())
    for each in data.compared:
        if each.curves:
            ending = f"; {each.ending}" if each.ending else ""
            lines += [
                "",
                padded(
                    f"{each.name}: epoch {each.curves.selected + 1} kept, {duration(each.seconds)}{ending}", 100
                ).rstrip(),
            ]
            lines += [f"  {line}" for line in curve_lines(each.curves, data.measure.title)]
    return "\n".join(lines) + "\n"


def comparison_to_json(data: ComparisonData) -> dict[str, Any]:
    """One plain object; what is not a finite number is null."""
    plain = plain_value(data)
    assert isinstance(plain, dict)
    return plain
