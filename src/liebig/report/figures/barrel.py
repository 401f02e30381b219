"""The barrel: it holds as much as its shortest stave."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from liebig.report.data import StaveTold
from liebig.report.svg import CARD, PHONE, Drawing, figure, fitted, hover, line, path, rect, text

_TALL = 168.0
_TOP = 22.0


def barrel_figure(staves: Sequence[StaveTold], name: str) -> Markup:
    told = ", ".join(f"{each.name} {_percent(each)}" for each in staves)
    shortest = min((each for each in staves if each.measured), key=lambda each: each.height, default=None)
    first = f"Barrel of {name}. "
    if shortest is not None and shortest.height < 1:
        first += f"The shortest stave is {shortest.name}. "
    return figure(lambda width: draw_barrel(staves, width), f"{first}Heights: {told}.", (PHONE, CARD))


def _percent(stave: StaveTold) -> str:
    return f"{stave.height:.0%}".replace("%", " %") if stave.measured else "not measured"


def draw_barrel(staves: Sequence[StaveTold], width: int) -> Drawing:
    """Staves side by side, water up to the shortest measured one, hoops around all."""
    step = width / max(len(staves), 1)
    bottom = _TOP + _TALL
    level = min((each.height for each in staves if each.measured), default=0.0)
    marks = [rect(2, bottom - level * _TALL, width - 4, level * _TALL, "water", 3)] if level > 0 else []
    marks += [_stave(stave, i * step + 3, step - 6, level) for i, stave in enumerate(staves)]
    if level > 0:
        y = bottom - level * _TALL
        wave = "".join(f"q{step / 4:.1f} -4 {step / 2:.1f} 0t{step / 2:.1f} 0" for _ in staves)
        marks.append(path(f"M0 {y:.1f}{wave}", "level"))
    marks += [rect(0, y, width, 6, "hoop", 3) for y in (bottom - 22, bottom - 60) if level > 0]
    marks += [_height(stave, (i + 0.5) * step) for i, stave in enumerate(staves)]
    for i, stave in enumerate(staves):
        lower = width == PHONE and i % 2 == 1
        style = "soft strong" if stave.measured and stave.height == level and level < 1 else "soft"
        marks.append(
            text((i + 0.5) * step, bottom + (32 if lower else 17), fitted(stave.name, 2 * step, 12), style, "middle")
        )
    return Drawing(width, bottom + (40 if width == PHONE else 26), tuple(marks))


def _stave(stave: StaveTold, x: float, width: float, level: float) -> str:
    bottom = _TOP + _TALL
    if not stave.measured:
        marks = [rect(x, _TOP, width, _TALL, "stave unmeasured", 4)]
        return hover(marks, f"{stave.name}: not measured")
    height = max(stave.height * _TALL, 4.0)
    kind = "short" if stave.height < 0.5 else "hinted" if stave.height < 0.999 else "whole"
    marks = [rect(x, bottom - height, width, height, f"stave {kind}", 4)]
    for share in (0.33, 0.66):
        marks.append(line(x + share * width, bottom - height + 8, x + share * width, bottom - 4, "grain"))
    told = stave.finding or "no finding"
    return hover(marks, f"{stave.name}: {_percent(stave)}; {told}")


def _height(stave: StaveTold, x: float) -> str:
    """The number over a stave; drawn last, so that no hoop runs through it."""
    if not stave.measured:
        return text(x, _TOP - 7, "?", "soft", "middle")
    return text(x, _TOP + _TALL - max(stave.height * _TALL, 4.0) - 7, f"{stave.height * 100:.0f}", "soft", "middle")
