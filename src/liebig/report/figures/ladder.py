"""The ladder: one rung for each change that was kept, at the score it reached, with the interval of its step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from liebig.report.data import Effect, Measure, PartTold, RungTold
from liebig.report.figures.intervals import tone_of
from liebig.report.numbers import decimals_of, interval, plain_number, signed
from liebig.report.svg import (
    BOLD,
    PAGE,
    PHONE,
    Drawing,
    Scale,
    circle,
    figure,
    hover,
    line,
    polyline,
    spanning,
    text,
    text_width,
    tick_decimals,
    ticks,
    wrapped,
)

_FOOT = 44.0


def ladder_figure(rungs: Sequence[RungTold], measure: Measure, decimals: int) -> Markup:
    steps = "; ".join(f"{rung.name} {plain_number(rung.position, decimals)}" for rung in rungs)
    told = f"Ladder of {len(rungs)} rungs, {measure.title}, {measure.direction}: {steps}."
    return figure(lambda width: draw_ladder(rungs, measure, decimals, width), told)


def _span(rungs: Sequence[RungTold], measure: Measure) -> tuple[float, float]:
    values = [value for rung in rungs for value in (rung.position, *_ends(rung))]
    values += [
        value
        for rung in rungs
        for part in rung.parts
        if part.worth
        for value in (rung.position + part.worth.difference,)
    ]
    low, high = spanning(values)
    return (low, high) if measure.higher_is_better else (high, low)


def _ends(rung: RungTold) -> tuple[float, ...]:
    if rung.effect is None:
        return ()
    return (
        rung.position + rung.effect.low - rung.effect.difference,
        rung.position + rung.effect.high - rung.effect.difference,
    )


def draw_ladder(rungs: Sequence[RungTold], measure: Measure, decimals: int, width: int) -> Drawing:
    phone = width == PHONE
    label = width if phone else (330 if width == PAGE else 215)
    values = 0 if phone else (190 if width == PAGE else 74)
    start, end = _span(rungs, measure)
    scale = Scale(start, end, 10 if phone else label + 16, width - 10 if phone else width - values - 14)
    fine = max(decimals, decimals_of(rung.effect for rung in rungs if rung.effect))
    marks: list[str] = []
    points: list[tuple[float, float]] = []
    top = 4.0
    for rung in rungs:
        drawn, bottom, y = _rung(rung, top, label, scale, fine, width)
        marks += drawn
        points.append((scale(rung.position), y))
        for part in rung.parts:
            lines, bottom = _part(part, rung, bottom, label, scale, fine, width)
            marks += lines
        top = bottom + (18 if phone else 26)
    axis = list(_axis(scale, top, measure, width))
    return Drawing(width, top + _FOOT, (*axis, polyline(points, "climb"), *marks))


def _axis(scale: Scale, height: float, measure: Measure, width: int) -> Iterator[str]:
    marked = ticks(scale.start, scale.end, 5 if width == PAGE else 4)
    decimals = tick_decimals(marked)
    for value in marked:
        yield line(scale(value), 0, scale(value), height, "grid")
        yield text(scale(value), height + 16, plain_number(value, decimals), "soft", "middle")
    arrow = "" if measure.higher_is_better else ", lower is better"
    yield text((scale.left + scale.right) / 2, height + 36, f"{measure.title}{arrow}", "soft", "middle")


def _rung(
    rung: RungTold, top: float, label: float, scale: Scale, decimals: int, width: int
) -> tuple[list[str], float, float]:
    """Marks, where they end, and the height of the rung's dot."""
    marks, y = [], top + 14
    for part in wrapped(rung.name, label - 14, 2, BOLD):
        marks.append(text(0, y, part, "name"))
        y += 17
    for part in wrapped(rung.why, label - 14, 2, 12) if rung.why else []:
        marks.append(text(0, y, part, "soft"))
        y += 16
    phone = width == PHONE
    numbers = _numbers(rung.effect, decimals) if rung.effect else plain_number(rung.position, decimals)
    if phone:
        marks.append(text(0, y, numbers, "number"))
        if rung.effect and rung.effect.verdict:
            marks.append(text(width, y, rung.effect.verdict, f"verdict {tone_of(rung.effect)}", "end"))
        y += 18
        middle, bottom = y, y + 6
    else:
        middle, bottom = top + 10, max(y - 10, top + 22)
        if width == PAGE:
            marks.append(text(width, middle + 4, numbers, "number", "end"))
        else:
            short = signed(rung.effect.difference, decimals) if rung.effect else numbers
            marks.append(text(width, middle + 4, short, "number", "end"))
        if rung.effect and rung.effect.verdict:
            marks.append(text(width, middle + 21, rung.effect.verdict, f"verdict {tone_of(rung.effect)}", "end"))
            bottom = max(bottom, middle + 24)
    if rung.effect:
        low, high = _ends(rung)
        marks.append(line(scale(low), middle, scale(high), middle, f"bar {tone_of(rung.effect)}"))
    marks.append(circle(scale(rung.position), middle, 6, "dot rung"))
    return [hover(marks, f"{rung.name}: {numbers}")], bottom, middle


def _numbers(effect: Effect, decimals: int) -> str:
    return f"{signed(effect.difference, decimals)} {interval(effect.low, effect.high, decimals)}"


def _part(
    part: PartTold, rung: RungTold, top: float, label: float, scale: Scale, decimals: int, width: int
) -> tuple[list[str], float]:
    """One part beneath its rung: a thin line back to where the score falls without it."""
    phone, y, marks = width == PHONE, top + 18, []
    worth = part.worth
    said = "not measured" if worth is None else signed(-worth.difference, decimals)
    room = label - 24 - (text_width(said) + 12 if phone else 0)
    names = wrapped(part.name, room, 2, 12.5)
    for i, each in enumerate(names):
        marks.append(text(16, y + 15 * i, each, "part"))
    marks.append(line(5, y - 18, 5, y - 4, "grid"))
    marks.append(line(5, y - 4, 12, y - 4, "grid"))
    marks.append(text(width, y, said, "soft number", "end"))
    if worth is not None and not phone:
        x, away = scale(rung.position), scale.clipped(rung.position + worth.difference)
        marks.append(line(away, y - 4, x, y - 4, f"thin {tone_of(worth)}"))
        marks.append(circle(away, y - 4, 3.5, f"dot {tone_of(worth)}"))
    return [hover(marks, f"{part.name}: worth {said}")], y + 15 * (len(names) - 1)
