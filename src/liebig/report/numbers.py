"""Numbers as people read them: as many digits as the interval supports, a real minus sign, thousands apart."""

from __future__ import annotations

import math
from collections.abc import Iterable

from liebig.report.data import Effect

_MOST_DECIMALS = 6
_MINUS = "\N{MINUS SIGN}"
_DASH = "\N{EN DASH}"


def decimals_for(half_width: float) -> int:
    """Decimals that show an uncertainty of `half_width` with one digit, or with two where the first is a 1.

    Three where there is no usable uncertainty.
    """
    if not math.isfinite(half_width) or half_width <= 0:
        return 3
    exponent = math.floor(math.log10(half_width))
    leads_with_one = half_width / 10.0**exponent < 2.0
    return min(max(leads_with_one - exponent, 0), _MOST_DECIMALS)


def decimals_of(effects: Iterable[Effect]) -> int:
    """Decimals for a whole table of effects: those of the middle one, so that columns line up."""
    widths = sorted(each.half_width for each in effects if math.isfinite(each.half_width) and each.half_width > 0)
    return decimals_for(widths[len(widths) // 2]) if widths else 3


def plain_number(value: float, decimals: int) -> str:
    """``-1234.5`` -> ``−1,234.5``; an en dash where there is no number. Zero has no sign."""
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: f"{_MINUS}∞"}.get(value, _DASH)
    text = f"{abs(value):,.{decimals}f}"
    return f"{_MINUS}{text}" if value < 0 and any(digit in "123456789" for digit in text) else text


def signed(value: float, decimals: int) -> str:
    """A difference: ``+0.041``, ``−0.003``, ``0.000``."""
    text = plain_number(value, decimals)
    return f"+{text}" if value > 0 and any(digit in "123456789" for digit in text) else text


def interval(low: float, high: float, decimals: int | None = None) -> str:
    """``[+0.037, +0.045]``, to the digits that its own width supports unless `decimals` says otherwise."""
    digits = decimals_for((high - low) / 2) if decimals is None else decimals
    return f"[{_end(low, digits)}, {_end(high, digits)}]"


def _end(value: float, decimals: int) -> str:
    """One end of an interval. On which side of zero it lies must show: where rounding hides it, one digit more."""
    told = signed(value, decimals)
    hidden = value != 0 and math.isfinite(value) and not any(digit in "123456789" for digit in told)
    return signed(value, decimals + 1) if hidden else told


def score_text(value: float, half_width: float = math.nan) -> str:
    """A score to the digits that `half_width` supports; to four significant ones where that is not known."""
    if math.isfinite(half_width) and half_width > 0:
        return plain_number(value, decimals_for(half_width))
    return plain_number(value, significant_decimals(value, 4 if abs(value) >= 1 else 3))


def significant_decimals(value: float, digits: int = 3) -> int:
    """Decimals that show `value` with so many significant digits."""
    if not math.isfinite(value) or value == 0:
        return digits
    return min(max(digits - 1 - math.floor(math.log10(abs(value))), 0), _MOST_DECIMALS)


def short_number(value: float) -> str:
    """Three significant digits, scientific where that is shorter: for facts and tick labels."""
    if not math.isfinite(value):
        return plain_number(value, 0)
    if value and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{abs(value):.2e}".split("e")
        return f"{_MINUS if value < 0 else ''}{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    text = plain_number(value, significant_decimals(value))
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: float, unit: str = "") -> str:
    """``1234567`` -> ``1.23 M``; small counts stay whole."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scaled = value / (1e3 if letter == "k" else size)
            return f"{plain_number(scaled, significant_decimals(scaled))} {letter}{unit}"
    return f"{plain_number(value, 0)} {unit}".strip()


def duration(seconds: float) -> str:
    """``0.0004`` -> ``0.4 ms``, ``95`` -> ``1 min 35 s``."""
    if not math.isfinite(seconds):
        return _DASH
    if seconds < 1e-4:
        return f"{seconds * 1e6:.3g} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 99.5:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def percent(share: float) -> str:
    """``0.0123`` -> ``1.2 %``."""
    return f"{share:.1%}".replace("%", " %") if share < 0.1 else f"{share:.0%}".replace("%", " %")


def counted(number: int, one: str, more: str = "") -> str:
    """``1 trial``, ``41 trials``."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"
