"""SVG from plain values: marks, scales, and one figure in several layouts.

Figures are drawn here and not by a chart library in the browser, because the report is written inside the user's time
budget: making the library's bundle takes most of two seconds and adds a megabyte of script, where these drawings take
milliseconds, need no script, print, and follow the page's colours by style sheet. Each figure is drawn for a phone, for
a half page and for a page; the style sheet shows the layout that fits (`figure`). All text is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

#: Mean width of a character over the font size: system fonts lie between 0.50 and 0.57.
_CHARACTER = 0.57
_SIZE = 13.0

#: Size to reckon with for names in bold: their characters are wider than their size says.
BOLD = 14.5

#: Layout widths in pixels, by the class that the style sheet shows from which container width on.
SMALL, PHONE, CARD, HALF, PAGE = 240, 320, 460, 600, 960


@dataclass(frozen=True, slots=True)
class Drawing:
    """Marks in a box of `width` x `height` pixels."""

    width: float
    height: float
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """A line from values to pixels: `start` is drawn at `left`, `end` at `right`. Runs backward where start > end."""

    start: float
    end: float
    left: float
    right: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        start, end = self._turned(self.start), self._turned(self.end)
        share = (self._turned(value) - start) / (end - start) if end != start else 0.5
        return self.left + share * (self.right - self.left)

    def clipped(self, value: float) -> float:
        low, high = sorted((self.left, self.right))
        return min(max(self(value), low), high)

    def _turned(self, value: float) -> float:
        return math.log10(max(value, 1e-300)) if self.logarithmic else value


def finite(values: Iterable[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


def spanning(values: Iterable[float], share: float = 0.06) -> tuple[float, float]:
    """Lowest and highest of `values`, widened by `share` on both sides; (0, 1) without any."""
    known = finite(values)
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    room = (high - low) * share or max(abs(high) * share, 1e-9)
    return low - room, high + room


def ticks(low: float, high: float, most: int = 5) -> tuple[float, ...]:
    """Round values between `low` and `high`, at most about `most`."""
    low, high = sorted((low, high))
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return (low,) if math.isfinite(low) else ()
    rough = (high - low) / max(most, 1)
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next((unit * each for each in (1, 2, 2.5, 5, 10) if unit * each >= rough * 0.999), unit * 10)
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return tuple((first + i) * step for i in range(min(max(count, 0), 4 * most)))


def tick_decimals(values: Sequence[float]) -> int:
    """Decimals that tell the ticks apart."""
    if len(values) < 2:
        return 3
    step = abs(values[1] - values[0])
    for decimals in range(9):
        if abs(step * 10**decimals - round(step * 10**decimals)) < 1e-6 * max(1.0, step * 10**decimals):
            return decimals
    return 3


# --- marks -------------------------------------------------------------------------------------------------


def _at(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line class="{style}" x1="{_at(x1)}" y1="{_at(y1)}" x2="{_at(x2)}" y2="{_at(y2)}"/>'


def rect(x: float, y: float, width: float, height: float, style: str, radius: float = 0.0) -> str:
    round_corner = f' rx="{_at(radius)}"' if radius else ""
    size = f'width="{_at(max(width, 0))}" height="{_at(max(height, 0))}"'
    return f'<rect class="{style}" x="{_at(x)}" y="{_at(y)}" {size}{round_corner}/>'


def circle(x: float, y: float, radius: float, style: str) -> str:
    return f'<circle class="{style}" cx="{_at(x)}" cy="{_at(y)}" r="{_at(radius)}"/>'


def path(commands: str, style: str) -> str:
    return f'<path class="{style}" d="{commands}"/>'


def text(x: float, y: float, content: str, style: str = "", anchor: str = "start") -> str:
    where = f' text-anchor="{anchor}"' if anchor != "start" else ""
    kind = f' class="{style}"' if style else ""
    return f'<text x="{_at(x)}" y="{_at(y)}"{kind}{where}>{escape(content)}</text>'


def hover(marks: Iterable[str], told: str) -> str:
    """Marks that tell `told` when the pointer rests on them."""
    return f"<g><title>{escape(told)}</title>{''.join(marks)}</g>"


def polyline(points: Sequence[tuple[float, float]], style: str) -> str:
    """A line through `points`; broken where one is not finite."""
    commands, broken = [], True
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            broken = True
            continue
        commands.append(f"{'M' if broken else 'L'}{_at(x)} {_at(y)}")
        broken = False
    return path("".join(commands), style) if commands else ""


def text_width(content: str, size: float = _SIZE) -> float:
    """Pixels that `content` takes, about; wide scripts count double."""
    return sum(2.0 if ord(each) > 0x2E7F else 1.0 for each in content) * _CHARACTER * size


def fitted(content: str, width: float, size: float = _SIZE) -> str:
    """`content`, cut with an ellipsis where it is wider than `width` pixels."""
    if text_width(content, size) <= width:
        return content
    kept = content
    while kept and text_width(f"{kept}…", size) > width:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def wrapped(content: str, width: float, lines: int = 2, size: float = _SIZE) -> list[str]:
    """`content` in at most `lines` lines of `width` pixels; the last one is cut where there is more."""
    told: list[str] = []
    words = content.split()
    while words and len(told) < lines:
        if len(told) == lines - 1:
            told.append(fitted(" ".join(words), width, size))
            break
        taken = 1
        while taken < len(words) and text_width(" ".join(words[: taken + 1]), size) <= width:
            taken += 1
        told.append(fitted(" ".join(words[:taken]), width, size))
        words = words[taken:]
    return told


# --- figures -----------------------------------------------------------------------------------------------


def figure(draw: Callable[[int], Drawing], told: str, widths: Sequence[int] = (PHONE, HALF, PAGE)) -> Markup:
    """One figure in a layout for each width. `told` says in a sentence what it shows, for those who do not see it."""
    names = {SMALL: "small-card", PHONE: "phone", CARD: "column", HALF: "half", PAGE: "page"}
    kinds = "-".join(names[width] for width in widths)
    layouts = "".join(_layout(draw(width), names[width], told) for width in widths)
    return Markup(f'<div class="figure has-{kinds}">{layouts}</div>')


def _layout(drawing: Drawing, name: str, told: str) -> str:
    box = f"0 0 {_at(drawing.width)} {_at(drawing.height)}"
    label = escape(told, quote=True)
    return f'<svg class="layout {name}" viewBox="{box}" role="img" aria-label="{label}">{"".join(drawing.marks)}</svg>'
