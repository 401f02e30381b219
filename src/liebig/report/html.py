"""`ReportData` -> one offline HTML page: no script, no network, light and dark, from a phone to a printed sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from liebig.report import numbers
from liebig.report.data import (
    CurvesTold,
    Effect,
    ImportanceTold,
    LayerHistograms,
    Measure,
    PartTold,
    ReportData,
    Standing,
    TrialTold,
)
from liebig.report.figures.barrel import barrel_figure
from liebig.report.figures.growth import growth_figure
from liebig.report.figures.histogram import histogram_figure
from liebig.report.figures.intervals import Forest, Row, forest_figure
from liebig.report.figures.ladder import ladder_figure
from liebig.report.figures.lines import Chart, Series, capacity_figure, chart_figure, epochs


@dataclass(frozen=True, slots=True)
class Figures:
    """Every figure of the page; "" where there is nothing to draw."""

    ladder: Markup
    before: Markup
    after: Markup
    parts: Markup
    trials: Markup
    curves: tuple[tuple[str, tuple[Markup, ...]], ...]
    histograms: tuple[tuple[LayerHistograms, Markup], ...]
    capacity: Markup
    growth: Markup
    importance: Markup


_NONE = Markup("")

_TONES = {
    Standing.PROVEN: "gain",
    Standing.GAINED: "hint",
    Standing.NOT_BETTER: "loss",
    Standing.NOTHING_HELPED: "plain",
    Standing.OPEN: "plain",
    Standing.EMPTY: "plain",
}


@cache
def environment() -> Environment:
    """The templates, escaping everything that is not markup of our own."""
    made = Environment(
        loader=PackageLoader("liebig.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "signed": numbers.signed,
        "plain_number": numbers.plain_number,
        "score": numbers.score_text,
        "short": numbers.short_number,
        "count": numbers.count,
        "duration": numbers.duration,
        "percent": numbers.percent,
        "effect": effect_text,
    }
    return made


def effect_text(effect: Effect, decimals: int) -> str:
    """``+0.041 [+0.037, +0.045]``."""
    return f"{numbers.signed(effect.difference, decimals)} {numbers.interval(effect.low, effect.high, decimals)}"


def to_html(data: ReportData) -> str:
    """The whole page."""
    return environment().get_template("report.html.j2").render(
        data=data,
        figures=_figures(data),
        tone=_TONES[data.standing],
        trial_decimals=numbers.decimals_of(each.effect for each in data.trials if each.effect),
        part_decimals=numbers.decimals_of(each.worth for each in data.parts if each.worth),
    )  # fmt: skip


def study_html_fragment(data: ReportData) -> str:
    """A small summary for a notebook, styled in place."""
    return environment().get_template("fragment.html.j2").render(data=data, tone=_TONES[data.standing])


def _figures(data: ReportData) -> Figures:
    return Figures(
        ladder=ladder_figure(data.ladder, data.measure, data.decimals) if len(data.ladder) > 1 else _NONE,
        before=barrel_figure(data.before.staves, data.before.name) if data.before else _NONE,
        after=barrel_figure(data.after.staves, data.after.name) if data.after else _NONE,
        parts=_parts(data.parts, data.measure),
        trials=_trials(data.trials, data.measure),
        curves=tuple((each.name, curve_figures(each, data.measure)) for each in data.curves),
        histograms=tuple((each, histogram_figure(each)) for each in data.histograms),
        capacity=capacity_figure(data.capacity, data.measure) if len(data.capacity) > 1 else _NONE,
        growth=growth_figure(data.growth, data.measure) if data.growth else _NONE,
        importance=_importance(data.importance, data.measure),
    )


def _parts(parts: Sequence[PartTold], measure: Measure) -> Markup:
    rows = tuple(Row(part.name, part.why, part.worth) for part in parts)
    if not rows:
        return _NONE
    forest = Forest(rows, measure.higher_is_better, f"difference in {measure.title}", "better without", "worse without")
    return forest_figure(
        forest, f"What leaving out each of {len(rows)} parts costs in {measure.title}, with intervals."
    )


def _trials(trials: Sequence[TrialTold], measure: Measure) -> Markup:
    rows = tuple(
        Row(each.name, each.why or _purpose(each), each.effect, "kept" if each.adopted else "") for each in trials
    )
    if not rows:
        return _NONE
    proven = sum(each.effect is not None and each.effect.verdict == "proven" for each in trials)
    forest = Forest(rows, measure.higher_is_better, f"difference in {measure.title}")
    return forest_figure(forest, f"{len(rows)} trials with their intervals; {proven} of them proven better.")


def _purpose(trial: TrialTold) -> str:
    return {
        "together": "several changes together",
        "confirmation": "the same change at full size",
        "search": "searched around the best so far",
        "saving": "the same score in less time",
    }.get(trial.purpose, "")


def _importance(columns: Sequence[ImportanceTold], measure: Measure) -> Markup:
    if not columns:
        return _NONE
    rows = tuple(
        Row(each.column, "", Effect(each.loss, each.low, each.high), "", _matters(each)) for each in columns[:20]
    )
    # Lost score is drawn as it is: more to the right matters more, whichever way the metric runs.
    forest = Forest(rows, True, f"lost {measure.title}", "matters more", "matters less")
    first = ", ".join(each.column for each in columns[:3])
    return forest_figure(forest, f"How much {measure.title} is lost when a column is shuffled. First: {first}.")


def _matters(column: ImportanceTold) -> str:
    return "proven" if column.low > 0 else "unclear"


def curve_figures(curves: CurvesTold, measure: Measure) -> tuple[Markup, ...]:
    """Loss, metric, learning rate by epoch."""
    at = curves.selected
    loss = Chart(
        "loss",
        "epoch",
        (
            Series("train", epochs(curves.train_loss), curves.train_loss, "train"),
            Series("stop", epochs(curves.stop_loss), curves.stop_loss, "stop", at),
        ),
        marked="selected",
    )
    metric = Chart(
        measure.title,
        "epoch",
        (
            Series("train", epochs(curves.train_metric), curves.train_metric, "train"),
            Series("stop", epochs(curves.stop_metric), curves.stop_metric, "stop", at),
        ),
        marked="selected",
    )
    said = f"{curves.name}, by epoch; epoch {at + 1} was selected." if at >= 0 else f"{curves.name}, by epoch."
    return tuple(
        chart_figure(chart, f"{chart.title[:1].upper()}{chart.title[1:]} of {said}")
        for chart in (loss, metric)
        if any(value == value for series in chart.series for value in series.ys)
    )
