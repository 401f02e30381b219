"""What leaves a layer's activation, before training and after, in one small drawing."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from liebig.report.data import Histogram, LayerHistograms
from liebig.report.numbers import percent, short_number
from liebig.report.svg import SMALL, Drawing, Scale, figure, line, path, text

_HEIGHT = 104.0


def histogram_figure(layer: LayerHistograms) -> Markup:
    told = (
        f"What leaves {layer.activation or 'layer'} {layer.layer}, at step {layer.first.step} and at step "
        f"{layer.last.step}: {percent(layer.dead)} of its units are dead at the end."
    )
    return figure(lambda width: draw_histogram(layer, width), told, (SMALL,))


def draw_histogram(layer: LayerHistograms, width: int) -> Drawing:
    low, high = _span([layer.first, layer.last])
    across = Scale(low, high, 4, width - 4)
    marks = [
        path(_outline(layer.first, across, closed=True), "start"),
        path(_outline(layer.last, across, closed=False), "finish"),
        line(4, _HEIGHT, width - 4, _HEIGHT, "zero"),
    ]
    for value, anchor in ((low, "start"), (0.0, "middle"), (high, "end")):
        if value or (across(0.0) > 50 and across(0.0) < width - 50):
            marks.append(text(across(value), _HEIGHT + 16, short_number(value), "soft", anchor))
    return Drawing(width, _HEIGHT + 20, tuple(marks))


def _span(histograms: Sequence[Histogram]) -> tuple[float, float]:
    """The range that holds all but a thousandth of the counts on either side."""
    lows, highs = [], []
    for each in histograms:
        total, seen = sum(each.counts) or 1.0, 0.0
        inside = []
        for i, value in enumerate(each.counts):
            if seen + value > 0.001 * total and seen < 0.999 * total:
                inside.append(i)
            seen += value
        lows.append(each.edges[inside[0]] if inside else each.edges[0])
        highs.append(each.edges[inside[-1] + 1] if inside else each.edges[-1])
    low, high = min(lows), max(highs)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _outline(histogram: Histogram, across: Scale, *, closed: bool) -> str:
    """Steps whose area is the share of values; a spike (the zeros of a ReLU) is drawn at most four times as tall as
    the rest, with the square root of its share."""
    widths = [b - a for a, b in zip(histogram.edges, histogram.edges[1:], strict=False)]
    total = sum(histogram.counts) or 1.0
    tall = [
        (value / total / width if width > 0 else 0.0) ** 0.5
        for value, width in zip(histogram.counts, widths, strict=True)
    ]
    most = max(tall, default=0.0) or 1.0
    commands = [f"M{across.clipped(histogram.edges[0]):.1f} {_HEIGHT:.1f}"]
    for i, height in enumerate(tall):
        y = _HEIGHT - height / most * (_HEIGHT - 8)
        left, right = across.clipped(histogram.edges[i]), across.clipped(histogram.edges[i + 1])
        commands.append(f"L{left:.1f} {y:.1f}H{right:.1f}")
    commands.append(f"L{across.clipped(histogram.edges[-1]):.1f} {_HEIGHT:.1f}")
    return "".join(commands) + ("Z" if closed else "")
