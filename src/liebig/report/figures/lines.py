"""Line charts: curves by epoch, and scores against the number of parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from liebig.report.data import CapacityPoint, Measure
from liebig.report.numbers import count, score_text, short_number
from liebig.report.svg import (
    CARD,
    HALF,
    PAGE,
    PHONE,
    Drawing,
    Scale,
    circle,
    figure,
    finite,
    fitted,
    hover,
    line,
    polyline,
    spanning,
    text,
    text_width,
    ticks,
)


@dataclass(frozen=True, slots=True)
class Series:
    """One line: `style` sets colour and dash. `mark` is the index of the point that is marked, -1 for none."""

    name: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    style: str
    mark: int = -1


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines on shared axes. Outliers of the start (a loss that falls from 1e4) must not flatten the rest: the y axis
    covers the upper `cover` share of values and shows the others at its edge."""

    title: str
    x_name: str
    series: tuple[Series, ...]
    logarithmic: bool = False
    points: bool = False
    marked: str = ""


def chart_figure(chart: Chart, told: str, widths: Sequence[int] = (PHONE, CARD)) -> Markup:
    return figure(lambda width: draw_chart(chart, width), told, widths)


def draw_chart(chart: Chart, width: int) -> Drawing:
    height = 236.0 if width == PHONE else 260.0
    low, high = _y_span(chart)
    y_ticks = ticks(low, high, 4)
    labels = [short_number(value) for value in y_ticks]
    left = max((text_width(label, 12) for label in labels), default=20) + 10
    names = max((text_width(series.name, 12) for series in chart.series), default=0)
    right = width - min(names + 12, width * 0.3)
    xs = finite(x for series in chart.series for x in series.xs)
    x_low, x_high = (min(xs), max(xs)) if xs else (0.0, 1.0)
    across = Scale(
        x_low, x_high, left + (10 if chart.points else 0), right - (10 if chart.points else 0), chart.logarithmic
    )
    up = Scale(low, high, height - 40, 30)
    marks = [text(0, 13, chart.title, "name")]
    for value, label in zip(y_ticks, labels, strict=True):
        marks += [line(left, up(value), right, up(value), "grid"), text(left - 7, up(value) + 4, label, "soft", "end")]
    marks += _x_axis(chart, across, height, width)
    for series in chart.series:
        marks += _series(series, chart, across, up)
    marks += _names(chart, up, right + 8, width)
    return Drawing(width, height, tuple(marks))


def _y_span(chart: Chart) -> tuple[float, float]:
    values = sorted(finite(y for series in chart.series for y in series.ys))
    if len(values) > 12:
        # The usual range, and at most twice as much above and below it.
        low, high = values[len(values) // 20], values[-1 - len(values) // 20]
        room = max(high - low, 1e-12)
        values = [value for value in values if low - 2 * room <= value <= high + 2 * room]
    return spanning(values)


def _x_axis(chart: Chart, across: Scale, height: float, width: int) -> Iterator[str]:
    xs = sorted(set(finite(x for series in chart.series for x in series.xs)))
    if chart.logarithmic:
        shown = _apart(xs, across, 54)
        told = [count(x) for x in shown]
    else:
        shown = [x for x in ticks(across.start, across.end, 4 if width == PHONE else 6) if float(x).is_integer()] or xs[
            :1
        ]
        told = [short_number(x) for x in shown]
    for x, label in zip(shown, told, strict=True):
        yield text(across(x), height - 20, label, "soft", "middle")
    yield text((across.left + across.right) / 2, height - 2, chart.x_name, "soft", "middle")


def _apart(xs: Sequence[float], across: Scale, pixels: float) -> list[float]:
    shown: list[float] = []
    for x in xs:
        if not shown or across(x) - across(shown[-1]) >= pixels:
            shown.append(x)
    return shown


def _series(series: Series, chart: Chart, across: Scale, up: Scale) -> Iterator[str]:
    points = [
        (across(x), up.clipped(y) if math.isfinite(y) else math.nan) for x, y in zip(series.xs, series.ys, strict=True)
    ]
    drawn = [polyline(points, f"curve {series.style}")]
    lonely = sum(math.isfinite(y) for _, y in points) == 1
    if chart.points or lonely:
        drawn += [circle(x, y, 3.5, f"point {series.style}") for x, y in points if math.isfinite(y)]
    yield hover(drawn, series.name)
    if 0 <= series.mark < len(points) and math.isfinite(points[series.mark][1]):
        x, y = points[series.mark]
        told = f"{chart.marked}: {chart.x_name} {short_number(series.xs[series.mark])}, {short_number(series.ys[series.mark])}"
        yield hover([line(x, 30, x, up.left, "selected"), circle(x, y, 5.5, f"dot {series.style}")], told)


def _names(chart: Chart, up: Scale, x: float, width: int) -> Iterator[str]:
    """Each line's name at its own end, moved apart where they would touch."""
    ends = []
    for series in chart.series:
        known = finite(series.ys)
        if known:
            ends.append((up.clipped(known[-1]), series))
    ends.sort(key=lambda each: each[0])
    heights: list[float] = []
    for y, _ in ends:
        heights.append(max(y, heights[-1] + 15) if heights else y)
    over = max(heights[-1] - up.left, 0.0) if heights else 0.0
    for height, (_, series) in zip(heights, ends, strict=True):
        yield text(x, height - over + 4, fitted(series.name, width - x, 12), f"end {series.style}")


def epochs(values: Sequence[float]) -> tuple[float, ...]:
    """Epochs as people count them, from 1."""
    return tuple(float(i + 1) for i in range(len(values)))


def capacity_figure(points: Sequence[CapacityPoint], measure: Measure) -> Markup:
    """Fit and select score against parameters."""
    xs = tuple(float(point.parameters) for point in points)
    chart = Chart(
        measure.title,
        "parameters",
        (
            Series("fit rows", xs, tuple(point.fit_score for point in points), "train"),
            Series("select rows", xs, tuple(point.select_score for point in points), "stop"),
        ),
        logarithmic=True,
        points=True,
    )
    ends = "; ".join(f"{count(p.parameters)} parameters: {score_text(p.select_score)}" for p in points)
    return chart_figure(
        chart, f"{measure.title} against the number of parameters, on select rows: {ends}.", (PHONE, HALF, PAGE)
    )
