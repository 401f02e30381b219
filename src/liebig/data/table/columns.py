"""One column: what it is taken for, and how its cells are read as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from liebig.core.arrays import Reals


class Kind(StrEnum):
    """What a column is taken for."""

    NUMBER = "number"
    CATEGORY = "category"
    DATE = "date"
    TEXT = "text"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"

    @property
    def is_input(self) -> bool:
        return self in _INPUTS


_INPUTS: Final = frozenset({Kind.NUMBER, Kind.CATEGORY, Kind.DATE, Kind.TEXT})

#: Cells that mean "missing" in a column of text, besides the empty one.
MISSING_WORDS: Final = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "?")

#: How numbers are written: decimal point, decimal comma, decimal point with commas between thousands.
POINT, COMMA, THOUSANDS = "point", "comma", "thousands"

#: Values of a category column that has none, and that the task never saw.
MISSING, UNSEEN = -1, -2

#: Numbers that a date gives, in this order.
DATE_PARTS: Final = ("year", "month", "day", "weekday", "hour", "elapsed")


@dataclass(frozen=True, slots=True)
class Column:
    """What a column is taken for and how its cells are read. Plain values: it is saved with the model.

    `why` says in words why it was taken for `kind`. `levels` are a category's names, commonest first. `written` is how
    numbers are written; `date_format` how dates are ("" where the file has dates of its own); `parts` which numbers a date
    gives. `has_missing` is whether work rows lack it, `distinct` how many values work rows have (for a date: at most).
    `is_input` is False for columns that the network does not see (target, group, ignored, identifiers, constants).
    """

    name: str
    kind: Kind
    why: str
    is_input: bool
    levels: tuple[str, ...] = ()
    written: str = POINT
    date_format: str = ""
    parts: tuple[str, ...] = ()
    has_missing: bool = False
    distinct: int = 0

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        names = ("name", "kind", "why", "is_input", "written", "date_format", "has_missing", "distinct")
        values: dict[str, Any] = {name: getattr(self, name) for name in names}
        return {**values, "kind": str(self.kind), "levels": list(self.levels), "parts": list(self.parts)}

    @staticmethod
    def from_plain(values: Mapping[str, Any]) -> Column:
        """The column that `plain` gave."""
        return Column(
            name=str(values["name"]), kind=Kind(values["kind"]), why=str(values["why"]),
            is_input=bool(values["is_input"]), levels=tuple(values["levels"]), written=str(values["written"]),
            date_format=str(values["date_format"]), parts=tuple(values["parts"]),
            has_missing=bool(values["has_missing"]), distinct=int(values["distinct"]),
        )  # fmt: skip

    def ignored(self, why: str) -> Column:
        """The same column, not an input."""
        return replace(self, is_input=False, why=why)


def nameless(series: pl.Series) -> pl.Series:
    """The same cells under a plain name. polars takes a name such as "^a$" for a pattern, even where a series alone is asked."""
    return series.alias("cells")


def words(series: pl.Series) -> pl.Series:
    """The cells as text without surrounding blanks, null where missing; nameless, as all of these are."""
    text = _as_text(nameless(series)).str.strip_chars()
    return text.set(text.is_in(MISSING_WORDS), None)


def _as_text(series: pl.Series) -> pl.Series:
    if series.dtype == pl.String:
        return series
    if series.dtype == pl.Boolean:
        return series.cast(pl.String)
    if series.dtype.is_float():
        # 1.0 is written "1", so that a column of codes has the same levels whether or not a cell was missing
        whole = series.is_finite() & (series == series.round()) & (series.abs() < 2**53)
        integers = series.set(~whole.fill_null(False), None).cast(pl.Int64, strict=False).cast(pl.String)
        others = series.fill_nan(None).cast(pl.String)
        return integers.zip_with(integers.is_not_null(), others)
    if series.dtype == pl.Binary:
        return series.cast(pl.String, strict=False)
    if series.dtype.is_nested() or series.dtype == pl.Object:
        return pl.Series(series.name, [None if cell is None else str(cell) for cell in series.to_list()], pl.String)
    return series.cast(pl.String)


def numbers(series: pl.Series, written: str) -> pl.Series:
    """The cells as Float64, null where missing or not a number."""
    series = nameless(series)
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return series.cast(pl.Float64, strict=False).fill_nan(None)
    text = words(series)
    if written == COMMA:
        text = text.str.replace_all(r"[. '\u{a0}\u{202f}]", "").str.replace(",", ".", literal=True)
    elif written == THOUSANDS:
        text = text.str.replace_all(",", "", literal=True)
    parsed = text.cast(pl.Float64, strict=False)
    if parsed.null_count() > text.null_count():
        # currency before, per cent after: "€ 12", "12 %"
        bare = text.str.replace(r"^([+-]?)[$€£¥₩] ?", "$1").str.replace(r" ?[%€]$", "")
        parsed = bare.cast(pl.Float64, strict=False)
    return parsed.fill_nan(None)


def dates(series: pl.Series, date_format: str) -> pl.Series:
    """The cells as seconds since 1970, Float64, null where missing or not a date."""
    series = nameless(series)
    if series.dtype == pl.Time:
        return series.cast(pl.Int64).cast(pl.Float64) / 1e9
    if series.dtype == pl.Date or isinstance(series.dtype, pl.Datetime):
        moments = series.cast(pl.Datetime("us"))
    else:
        moments = parse_dates(words(series), date_format)
    return moments.cast(pl.Int64).cast(pl.Float64) / 1e6


def parse_dates(text: pl.Series, date_format: str) -> pl.Series:
    """`text` as Datetime by `date_format`; a format without a day means the first of the month."""
    if not date_format:
        return pl.Series(text.name, [None] * len(text), pl.Datetime("us"))
    has_day = "%d" in date_format or "%+" in date_format
    source, form = (text, date_format) if has_day else ("01 " + text, "%d " + date_format)
    if "%z" in form:
        source = source.str.replace("Z$", "+00:00")
        moments = source.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC").dt.replace_time_zone(None)
    else:
        moments = source.str.to_datetime(form, strict=False, time_unit="us")
    if "%y" in form:
        # Two digits say no century: what would lie in the future was meant a hundred years before.
        late = moments.dt.year() > _TWO_DIGIT_LIMIT
        moments = moments.dt.offset_by("-100y").zip_with(late.fill_null(False), moments)
    return moments.cast(pl.Datetime("us"))


_TWO_DIGIT_LIMIT: Final = 2035  # fixed, so that a saved model reads a file the same way in every year


def date_parts(seconds: Reals, parts: tuple[str, ...]) -> Reals:
    """The numbers that dates give, float64 [rows, parts], NaN where missing. `seconds` [rows] since 1970."""
    known = np.isfinite(seconds)
    moments = np.where(known, seconds, 0.0).astype("datetime64[s]")
    days = moments.astype("datetime64[D]")
    months = moments.astype("datetime64[M]")
    years = moments.astype("datetime64[Y]")
    values: dict[str, NDArray[Any]] = {
        "year": years.astype(np.int64) + 1970,
        "month": (months - years.astype("datetime64[M]")).astype(np.int64) + 1,
        "day": (days - months.astype("datetime64[D]")).astype(np.int64) + 1,
        "weekday": (days.astype(np.int64) + 3) % 7,  # 0 is Monday
        "hour": (moments - days.astype("datetime64[s]")).astype(np.float64) / 3600.0,
        "elapsed": np.where(known, seconds, 0.0) / 86400.0,
    }
    table = np.stack([values[part].astype(np.float64) for part in parts], axis=1)
    table[~known] = np.nan
    return table


def category_codes(series: pl.Series, levels: tuple[str, ...]) -> NDArray[np.int32]:
    """Number of each cell's level, int32 [rows]: MISSING where empty, UNSEEN where `levels` lacks it."""
    text = words(series)
    known = pl.DataFrame({"level": pl.Series(levels, dtype=pl.String), "code": np.arange(len(levels), dtype=np.int32)})
    found = pl.DataFrame({"level": text}).join(known, on="level", how="left", maintain_order="left")["code"]
    codes = found.fill_null(UNSEEN).to_numpy().astype(np.int32)
    codes[text.is_null().to_numpy()] = MISSING
    return codes


def to_reals(series: pl.Series) -> Reals:
    """A numeric series as float64 [rows], NaN where null."""
    return np.asarray(series.cast(pl.Float64).fill_null(float("nan")).to_numpy(), dtype=np.float64).copy()
