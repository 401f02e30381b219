"""What is a column taken for, and why? Rules over the work rows of one column, in the order in which they ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from liebig.core.errors import UserError, did_you_mean
from liebig.data.table.columns import (
    COMMA,
    DATE_PARTS,
    POINT,
    THOUSANDS,
    Column,
    Kind,
    dates,
    nameless,
    numbers,
    parse_dates,
    to_reals,
    words,
)

#: Formats tried on text, the commoner first. Where day and month could be either, the first that fits all cells is taken.
DATE_FORMATS: Final = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
    "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M", "%d/%m/%y", "%m/%d/%y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
    "%d-%b-%y", "%b-%y", "%b-%Y", "%b %Y", "%B %Y", "%Y-%m",
)  # fmt: skip

#: What a user may say of a column.
SAID: Final = (*(str(kind) for kind in Kind if kind.is_input), "ignore")

_SAMPLE: Final = 4000  # distinct cells that formats and words are judged on
_MOST: Final = 0.95  # share of cells that must fit, where a few odd ones are allowed
_IDENTIFIER_ROWS: Final = 20  # with fewer rows, all values being different says nothing
_ID_NAME: Final = re.compile(
    r"^(?:|id|uuid|guid|index|key|no|nr|row|rownames|row_?id|unnamed: ?0|.*[_ .-](?:id|uuid|guid|key))$", re.IGNORECASE
)
_COMMA_NUMBER: Final = r"^[+-]?(?:\d+|\d{1,3}(?:[. '\u{a0}\u{202f}]\d{3})+)(?:,\d+)?$"
_THOUSANDS_NUMBER: Final = r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$|^[+-]?\d+(?:\.\d+)?$"


def taken_for(series: pl.Series, said: str | None = None, comma: bool = False) -> Column:
    """What a column is taken for. `said` is the user's word for it; `comma` when the file is known to write decimal commas.

    Raises UserError when `said` is no kind, or the cells cannot be read as it.
    """
    name, series = series.name, nameless(series)
    if said is not None:
        return _as_said(name, series, said, comma)
    return _found(name, series, comma)


def _found(name: str, series: pl.Series, comma: bool) -> Column:
    if series.dtype == pl.Boolean:
        return _category(name, series, "true or false")
    if series.dtype.is_numeric():
        return _number(name, series, POINT, "numbers")
    if series.dtype.is_temporal():
        return _date(name, series, "", "dates")
    text = words(series)
    if text.null_count() == len(text):
        return Column(name, Kind.CONSTANT, "every value is missing", False, has_missing=True)
    return _from_text(name, text, comma)


def _from_text(name: str, text: pl.Series, comma: bool) -> Column:
    distinct = text.drop_nulls().unique(maintain_order=True)
    written = _number_style(distinct, comma)
    if written is not None:
        return _number_in_text(name, text, distinct, written)
    date_format = _date_format(distinct)
    if date_format:
        return _date(name, text, date_format, f"dates written as {date_format}")
    return _wording(name, text, distinct)


def _number_style(distinct: pl.Series, comma: bool) -> str | None:
    """How `distinct` text cells write numbers, or None when they are none."""
    with_comma = distinct.str.contains(",", literal=True)
    if with_comma.any():
        commas = distinct.filter(with_comma)
        thousands = bool(commas.str.contains(_THOUSANDS_NUMBER).all())
        # "1,234" alone may be either: the file's separator decides, since ";" is used where the comma is decimal
        if thousands and not comma and _fits(distinct.str.contains(_THOUSANDS_NUMBER)):
            return THOUSANDS
        if _fits(distinct.str.contains(_COMMA_NUMBER)):
            return COMMA
        return None
    if _fits(numbers(distinct, POINT).is_not_null()):
        return POINT
    return None


def _fits(fitting: pl.Series) -> bool:
    """True when all cells fit, or all but at most three odd ones (placeholders) of many."""
    odd = int((~fitting).sum())
    return odd == 0 or (odd <= 3 and odd <= (1.0 - _MOST) * len(fitting))


def _number_in_text(name: str, text: pl.Series, distinct: pl.Series, written: str) -> Column:
    leading = distinct.str.contains(r"^0\d+$")
    if leading.any() and distinct.str.contains(r"^\d+$").all():
        return _category(name, text, "digits with leading zeros, as codes have")
    why = {POINT: "numbers", COMMA: "numbers with a decimal comma", THOUSANDS: "numbers with commas between thousands"}[
        written
    ]
    odd = distinct.filter(numbers(distinct, written).is_null())
    if len(odd):
        why += "; " + ", ".join(f'"{cell}"' for cell in odd.to_list()) + " counted as missing"
    return _number(name, text, written, why)


def _date_format(distinct: pl.Series) -> str:
    """The first format that reads (nearly) all cells, or ""."""
    sample = distinct.head(_SAMPLE)
    digits = sample.str.contains(r"\d").mean()
    if not isinstance(digits, float) or digits < _MOST:
        return ""
    first = sample.head(20)
    for date_format in DATE_FORMATS:
        if parse_dates(first, date_format).null_count() > 1:
            continue
        if _fits(parse_dates(sample, date_format).is_not_null()):
            return date_format
    return ""


def _wording(name: str, text: pl.Series, distinct: pl.Series) -> Column:
    """Category, identifier or free text: by how often cells repeat and how many words they have."""
    known = len(text) - text.null_count()
    sample = distinct.head(_SAMPLE)
    lengths = sample.str.split(" ").list.len().mean()
    mean_words = float(lengths) if isinstance(lengths, float | int) else 1.0
    if mean_words >= 3.0 and len(distinct) > 0.5 * known and len(distinct) >= _IDENTIFIER_ROWS:
        return Column(
            name, Kind.TEXT, f"free text: {mean_words:.0f} words on average, hardly a cell repeats", True,
            has_missing=text.null_count() > 0, distinct=len(distinct),
        )  # fmt: skip
    if len(distinct) > 0.95 * known and known >= _IDENTIFIER_ROWS:
        return Column(
            name, Kind.IDENTIFIER, "names nearly every row by itself", False,
            has_missing=text.null_count() > 0, distinct=len(distinct),
        )  # fmt: skip
    return _category(name, text, f"{len(distinct)} different words")


def _number(name: str, series: pl.Series, written: str, why: str) -> Column:
    values = numbers(series, written)
    known = values.drop_nulls()
    missing, distinct = len(known) < len(values), known.n_unique()
    column = Column(name, Kind.NUMBER, why, True, written=written, has_missing=missing, distinct=distinct)
    if len(known) == 0:
        return _constant(column, "every value is missing")
    if distinct == 1 and not missing:
        return _constant(column, "one value only")
    if _is_identifier(name, known, distinct, len(values)):
        return Column(
            name,
            Kind.IDENTIFIER,
            "whole numbers that count the rows",
            False,
            has_missing=missing,
            distinct=distinct,
        )
    return column


def _constant(column: Column, why: str) -> Column:
    return Column(column.name, Kind.CONSTANT, why, False, has_missing=column.has_missing, distinct=column.distinct)


def _is_identifier(name: str, known: pl.Series, distinct: int, rows: int) -> bool:
    """Every row another whole number, and either a gapless count or a name that says so."""
    if distinct < rows or rows < _IDENTIFIER_ROWS or not bool((known == known.round()).all()):
        return False
    values = known.to_numpy()
    is_count = float(values.max() - values.min()) == rows - 1
    # A gapless count in another order may be a ranking, which means something.
    return bool(_ID_NAME.match(name)) or (is_count and bool((np.abs(np.diff(values)) == 1.0).all()))


def _category(name: str, series: pl.Series, why: str) -> Column:
    text = words(series)
    counts = (
        text.drop_nulls().alias("level").value_counts(name="rows").sort(["rows", "level"], descending=[True, False])
    )
    levels = tuple(str(level) for level in counts["level"].to_list())
    missing = text.null_count() > 0
    if len(levels) == 0 or (len(levels) == 1 and not missing):
        return Column(name, Kind.CONSTANT, "one value only" if levels else "every value is missing", False,
                      has_missing=missing, distinct=len(levels))  # fmt: skip
    return Column(name, Kind.CATEGORY, why, True, levels=levels, has_missing=missing, distinct=len(levels))


def _date(name: str, series: pl.Series, date_format: str, why: str) -> Column:
    seconds = dates(series, date_format)
    known = to_reals(seconds.drop_nulls())
    missing, distinct = len(known) < len(series), len(np.unique(known))
    if distinct == 0 or (distinct == 1 and not missing):
        why = "one value only" if distinct else "every value is missing"
        return Column(name, Kind.CONSTANT, why, False, has_missing=missing, distinct=distinct)
    return Column(
        name, Kind.DATE, why, True, date_format=date_format, parts=_useful_parts(known), has_missing=missing,
        distinct=distinct,
    )  # fmt: skip


def _useful_parts(seconds: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[str, ...]:
    """The parts that vary."""
    moments = seconds.astype("datetime64[s]")
    days, months, years = (moments.astype(f"datetime64[{unit}]") for unit in "DMY")
    from_dates = {
        "elapsed": seconds,
        "year": years.astype(np.float64),
        "month": (months - years.astype("datetime64[M]")).astype(np.float64),
        "day": (days - months.astype("datetime64[D]")).astype(np.float64),
        "weekday": np.mod(days.astype(np.float64), 7),
        "hour": (moments - days.astype("datetime64[s]")).astype(np.float64),
    }
    monthly = float(from_dates["day"].max()) == float(from_dates["day"].min())
    varying = [part for part in DATE_PARTS if np.ptp(from_dates[part]) > 0]
    # The first of every month falls on a weekday by accident.
    return tuple(part for part in varying if not (monthly and part == "weekday")) or ("elapsed",)


def _as_said(name: str, series: pl.Series, said: str, comma: bool) -> Column:
    """The column as the user says it is."""
    if said not in SAID:
        raise UserError(
            f'column "{name}" was said to be "{said}"; known are {", ".join(SAID)}.{did_you_mean(said, SAID)}'
        )
    if said == "ignore":
        return _found(name, series, comma).ignored("you said so")
    if said == Kind.CATEGORY:
        return _category(name, series, "you said so")
    if said == Kind.TEXT:
        text = words(series)
        distinct = text.drop_nulls().n_unique()
        return Column(name, Kind.TEXT, "you said so", True, has_missing=text.null_count() > 0, distinct=distinct)
    if said == Kind.DATE:
        return _as_date(name, series)
    return _as_number(name, series, comma)


def _as_date(name: str, series: pl.Series) -> Column:
    if series.dtype.is_temporal():
        return _date(name, series, "", "you said so")
    distinct = words(series).drop_nulls().unique(maintain_order=True)
    date_format = _date_format(distinct) or ("%Y%m%d" if _fits(parse_dates(distinct, "%Y%m%d").is_not_null()) else "")
    if not date_format:
        example = f', for example "{distinct[0]}"' if len(distinct) else ""
        raise UserError(f'column "{name}" was said to be a date, however its cells are not{example}')
    return _date(name, words(series), date_format, "you said so")


def _as_number(name: str, series: pl.Series, comma: bool) -> Column:
    if series.dtype.is_numeric():
        return _said_number(name, series, POINT)
    distinct = words(series).drop_nulls().unique(maintain_order=True)
    styles = (COMMA, POINT) if comma else (POINT, COMMA, THOUSANDS)
    known = {style: len(distinct) - numbers(distinct, style).null_count() for style in styles}
    best = max(styles, key=lambda style: known[style])
    if known[best] < 0.5 * len(distinct):
        raise UserError(f'column "{name}" was said to be a number, however it holds for example "{distinct[0]}"')
    return _said_number(name, series, best)


def _said_number(name: str, series: pl.Series, written: str) -> Column:
    values = numbers(series, written).drop_nulls()
    return Column(
        name, Kind.NUMBER, "you said so", True, written=written, has_missing=len(values) < len(series),
        distinct=values.n_unique(),
    )  # fmt: skip


def check_said(columns: Mapping[str, str], names: list[str]) -> None:
    """Refuse words about columns that the table lacks. Raises UserError."""
    for name in columns:
        if name not in names:
            raise UserError(f'there is no column "{name}" in the table.{did_you_mean(name, names)}')
