"""Curves and points as an SVG picture, with nothing but text."""

import math
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 440, 48, 12, 64, 32


@dataclass(frozen=True)
class Curve:
    """A line through (x, y), and what it is called."""

    name: str
    x: object
    y: object
    colour: str
    dashed: bool = False


def halves(low, high):
    """The multiples of a half from `low` to `high`."""
    return [i / 2 for i in range(math.ceil(2 * low), math.floor(2 * high) + 1)]


def chart(title, curves, x, y):
    """A picture of curves and the points (x, y). A curve that runs far away from the points is cut off at the edge."""
    room = 0.2 * (max(y) - min(y))
    low, high = min(y) - room, max(y) + room
    left, right = min(curves[0].x), max(curves[0].x)

    def at(px, py):
        across = LEFT + (px - left) / (right - left) * (WIDTH - LEFT - RIGHT)
        return across, HEIGHT - BOTTOM - (py - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    marks = [f'<text x="{LEFT}" y="24" font-size="17" font-weight="600">{escape(title)}</text>']
    for value in halves(low, high):
        _, py = at(left, value)
        marks += [
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{py:.1f}" y2="{py:.1f}" stroke="#e2e4e8"/>',
            f'<text x="{LEFT - 8}" y="{py + 4:.1f}" text-anchor="end" fill="#5b616b">{value:g}</text>',
        ]
    for value in halves(left, right):
        px, _ = at(value, low)
        marks.append(f'<text x="{px:.1f}" y="{HEIGHT - 10}" text-anchor="middle" fill="#5b616b">{value:g}</text>')
    for i, curve in enumerate(curves):
        path = " ".join("{:.1f},{:.1f}".format(*at(*each)) for each in zip(curve.x, curve.y, strict=True))
        dashes = ' stroke-dasharray="6 5"' if curve.dashed else ""
        name = LEFT + i * (WIDTH - LEFT - RIGHT) / len(curves)
        marks += [
            f'<polyline points="{path}" fill="none" stroke="{curve.colour}" stroke-width="2.5"{dashes} clip-path="url(#field)"/>',
            f'<line x1="{name:.0f}" x2="{name + 26:.0f}" y1="43" y2="43" stroke="{curve.colour}" stroke-width="2.5"{dashes}/>',
            f'<text x="{name + 34:.0f}" y="47">{escape(curve.name)}</text>',
        ]
    for px, py in (at(*each) for each in zip(x, y, strict=True)):
        marks.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="4.5" fill="#14181f" stroke="#fff"/>')
    field = f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="13">'
        f'<defs><clipPath id="field">{field}</clipPath></defs><rect width="100%" height="100%" fill="#fff"/>'
        f"{''.join(marks)}</svg>\n"
    )
