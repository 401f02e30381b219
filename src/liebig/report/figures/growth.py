"""The score against training rows: what was measured, the law through it, and where it leads."""

from __future__ import annotations

from markupsafe import Markup

from liebig.report.data import GrowthTold, Measure
from liebig.report.numbers import count, decimals_of, plain_number, short_number
from liebig.report.svg import (
    HALF,
    PAGE,
    PHONE,
    Drawing,
    Scale,
    circle,
    figure,
    hover,
    line,
    path,
    polyline,
    spanning,
    text,
    text_width,
    ticks,
)

#: Names of sizes stand at least so far apart.
_APART = 54.0


def growth_figure(growth: GrowthTold, measure: Measure) -> Markup:
    points = "; ".join(f"{count(rows)} rows: {short_number(score)}" for rows, score in growth.points)
    told = f"{measure.title} against training rows: {points}. {growth.sentence}"
    return figure(lambda width: draw_growth(growth, measure, width), told, (PHONE, HALF, PAGE))


def draw_growth(growth: GrowthTold, measure: Measure, width: int) -> Drawing:
    height = 236.0 if width == PHONE else 260.0
    values = [*(score for _, score in growth.points), *(each for _, *ends in growth.line for each in ends)]
    low, high = spanning(values)
    marked = ticks(low, high, 4)
    labels = [short_number(value) for value in marked]
    left, right = max((text_width(label, 12) for label in labels), default=20) + 10, width - 14.0
    across = Scale(growth.line[0][0], growth.line[-1][0], left + 10, right - 10, logarithmic=True)
    up = Scale(low, high, height - 40, 30)
    marks = [text(0, 13, measure.title, "name")]
    for value, label in zip(marked, labels, strict=True):
        marks += [line(left, up(value), right, up(value), "grid"), text(left - 7, up(value) + 4, label, "soft", "end")]
    marks += _sizes(growth, across, height)
    marks.append(text((left + right) / 2, height - 2, "training rows", "soft", "middle"))
    lower = [(across(rows), up(bottom)) for rows, _, bottom, _ in growth.line]
    upper = [(across(rows), up(top)) for rows, _, _, top in growth.line]
    outline = "L".join(f"{x:.1f} {y:.1f}" for x, y in [*lower, *reversed(upper)])
    marks.append(path(f"M{outline}Z", "band"))
    law = [(rows, across(rows), up(score)) for rows, score, _, _ in growth.line]
    last = growth.points[-1][0]
    marks.append(polyline([(x, y) for rows, x, y in law if rows <= last], "curve law"))
    beyond = [(x, y) for rows, x, y in law if rows > last]
    joint = [(x, y) for rows, x, y in law if rows <= last][-1:]
    marks.append(polyline([*joint, *beyond], "curve beyond"))
    for rows, score in growth.points:
        dot = circle(across(rows), up(score), 4.5, "point stop")
        marks.append(hover([dot], f"{rows:,.0f} rows: {measure.title} {short_number(score)}"))
    marks += _twice(growth, across, up, measure)
    return Drawing(width, height, tuple(marks))


def _sizes(growth: GrowthTold, across: Scale, height: float) -> list[str]:
    """Sizes that were measured, and twice the rows, as far apart as they can be read. The last ones come first."""
    shown: list[float] = []
    for rows in (growth.line[-1][0], *(rows for rows, _ in reversed(growth.points))):
        if all(abs(across(rows) - across(each)) >= _APART for each in shown):
            shown.append(rows)
    ends = (across.left, across.right)
    return [
        text(min(max(across(rows), ends[0]), ends[1]), height - 20, count(rows), "soft", "middle") for rows in shown
    ]


def _twice(growth: GrowthTold, across: Scale, up: Scale, measure: Measure) -> list[str]:
    """What is expected of twice the rows, with its interval."""
    rows, score, low, high = growth.line[-1]
    decimals = decimals_of([growth.twice])
    told = f"twice the rows: {plain_number(score, decimals)}, {plain_number(low, decimals)} to {plain_number(high, decimals)}"
    x = across(rows)
    marks = [line(x, up(low), x, up(high), "bar"), circle(x, up(score), 5.5, "dot stop")]
    return [hover(marks, f"{told} {measure.title}")]
