"""A forest plot: one row for each effect, its interval around its dot, its words beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from liebig.report.data import Effect
from liebig.report.numbers import decimals_of, interval, signed
from liebig.report.svg import (
    BOLD,
    PAGE,
    PHONE,
    Drawing,
    Scale,
    circle,
    figure,
    fitted,
    hover,
    line,
    path,
    text,
    text_width,
    tick_decimals,
    ticks,
    wrapped,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what, why, how much. `mark` stands behind the verdict ("kept"); without an effect it stands alone. `tone` is the style, that of the
    verdict unless given."""

    name: str
    why: str
    effect: Effect | None
    mark: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Forest:
    """Rows on one axis. The axis runs so that better is to the right."""

    rows: tuple[Row, ...]
    higher_is_better: bool
    unit: str
    better: str = "better"
    worse: str = "worse"


@dataclass(frozen=True, slots=True)
class _Frame:
    width: float
    label: float  # pixels of the column of names; 0 where names stand over their intervals
    scale: Scale
    values: float  # where the column of numbers ends
    decimals: int
    behind: float  # pixels for the verdict behind the numbers


_FOOT = 44.0


def forest_figure(forest: Forest, told: str) -> Markup:
    return figure(lambda width: draw_forest(forest, width), told)


def draw_forest(forest: Forest, width: int) -> Drawing:
    frame = _frame(forest, width)
    tops, height = _rows(forest, frame)
    marks = [*_axis(forest, frame, height)]
    for row, top in zip(forest.rows, tops, strict=True):
        marks.append(_row(row, top, frame, forest))
    return Drawing(width, height + _FOOT, tuple(marks))


def limits(effects: Sequence[Effect], higher_is_better: bool) -> tuple[float, float]:
    """Ends of the axis, worse end first. Hopeless rows must not flatten the others: they run off the worse end."""
    if not effects:
        return (-1.0, 1.0) if higher_is_better else (1.0, -1.0)
    turned = [(each.low, each.high) if higher_is_better else (-each.high, -each.low) for each in effects]
    best = max(max(high for _, high in turned), 0.0)
    lows = sorted(-low for low, _ in turned)
    usual = lows[len(lows) // 2]
    worst = min(lows[-1], max(3.0 * best, 3.0 * usual))
    worst, room = max(worst, 0.0), 0.05 * (best + max(worst, 0.0)) or 1.0
    return (-worst - room, best + room) if higher_is_better else (worst + room, -best - room)


def _frame(forest: Forest, width: int) -> _Frame:
    effects = [row.effect for row in forest.rows if row.effect]
    decimals = decimals_of(effects)
    start, end = limits(effects, forest.higher_is_better)
    if width == PHONE:
        return _Frame(width, 0.0, Scale(start, end, 8, width - 8), width, decimals, 0.0)
    numbers = max((text_width(_numbers(each, decimals)) for each in effects), default=90)
    label = 300.0 if width == PAGE else 190.0
    behind = 74.0 if any(row.mark or not row.effect or row.effect.verdict for row in forest.rows) else 0.0
    return _Frame(width, label, Scale(start, end, label + 20, width - numbers - behind - 24), width, decimals, behind)


def _numbers(effect: Effect, decimals: int) -> str:
    return f"{signed(effect.difference, decimals)}  {interval(effect.low, effect.high, decimals)}"


def _rows(forest: Forest, frame: _Frame) -> tuple[list[float], float]:
    tops, top = [], 6.0
    for row in forest.rows:
        tops.append(top)
        lines = len(wrapped(row.name, frame.label or frame.width, 2, BOLD)) + len(_why(row, frame))
        top += 17 * max(lines, 2 if row.mark and frame.label else 1) + (14 if frame.label else 44)
    return tops, top


def _why(row: Row, frame: _Frame) -> list[str]:
    return wrapped(row.why, frame.label or frame.width, 2, 12) if row.why else []


def _axis(forest: Forest, frame: _Frame, height: float) -> Iterator[str]:
    scale = frame.scale
    marked = ticks(scale.start, scale.end, 5 if frame.width == PAGE else 4)
    decimals = tick_decimals(marked)
    for value in marked:
        x = scale(value)
        yield line(x, 2, x, height, "zero" if abs(value) < 1e-12 else "grid")
        yield text(x, height + 16, signed(value, decimals), "soft", "middle")
    yield text(scale.left, height + 36, f"← {forest.worse}", "soft")
    yield text(scale.right, height + 36, f"{forest.better} →", "soft", "end")
    middle = (scale.left + scale.right) / 2
    if scale.right - scale.left > text_width(forest.unit) + 190:
        yield text(middle, height + 36, forest.unit, "soft", "middle")


def _tone(row: Row) -> str:
    return row.tone or (tone_of(row.effect) if row.effect else "unclear")


def tone_of(effect: Effect) -> str:
    """The style of a verdict; shape tells it too, so that colour is not needed."""
    return {"proven": "proven", "likely": "likely", "worse": "worse"}.get(effect.verdict, "unclear")


def whisker(effect: Effect, y: float, scale: Scale, tone: str) -> Iterator[str]:
    """An interval and its dot: filled when proven, hollow when not; an arrow where it runs off the axis."""
    low, high = scale.clipped(effect.low), scale.clipped(effect.high)
    yield line(low, y, high, y, f"bar {tone}")
    x = scale(effect.difference)
    if x < scale.left - 0.5:
        yield path(f"M{scale.left:.1f} {y:.1f}l9 -5v10z", f"arrow {tone}")
    else:
        filled = " filled" if tone == "proven" else ""
        yield circle(x, y, 5.5, f"dot {tone}{filled}")


def _row(row: Row, top: float, frame: _Frame, forest: Forest) -> str:
    marks, y = [], top + 13
    for part in wrapped(row.name, frame.label or frame.width, 2, BOLD):
        marks.append(text(0, y, part, "name"))
        y += 17
    for part in _why(row, frame):
        marks.append(text(0, y, part, "soft"))
        y += 17
    middle = top + 9 if frame.label else y + 16
    if row.effect is None:
        marks.append(text(frame.width if frame.label else 0, middle + 4 if frame.label else y, row.mark or "not measured",
                          "soft", "end" if frame.label else "start"))  # fmt: skip
        return hover(marks, f"{row.name}: {row.mark or 'not measured'}")
    verdict = row.mark if row.mark and row.effect.verdict in {"", row.mark} else row.effect.verdict
    numbers = _numbers(row.effect, frame.decimals)
    marks += whisker(row.effect, middle, frame.scale, _tone(row))
    if frame.label:
        marks.append(text(frame.width - frame.behind, middle + 5, numbers, "number", "end"))
        marks.append(text(frame.width, middle + 5, verdict, f"verdict {_tone(row)}", "end"))
        if row.mark and verdict != row.mark:
            marks.append(text(frame.width, middle + 21, row.mark, "soft", "end"))
    else:
        marks.append(text(0, y + 1, numbers, "number"))
        behind = f"{verdict} · {row.mark}" if row.mark and verdict != row.mark else verdict
        marks.append(text(frame.width, y + 1, fitted(behind, 110), f"verdict {_tone(row)}", "end"))
    return hover(marks, f"{row.name}: {numbers} {verdict}")
