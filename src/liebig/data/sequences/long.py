"""Sequences in a long table: one row a step, a column that says which sequence it belongs to, one for the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from liebig.core.arrays import Reals, Rows
from liebig.core.errors import UserError, did_you_mean
from liebig.data.sequences.content import Layout, SequenceData, Values
from liebig.data.sequences.found import Found
from liebig.data.sequences.windows import cut, lookback_for
from liebig.data.table.columns import COMMA, POINT, Kind, dates, numbers, to_reals, words
from liebig.data.table.kinds import taken_for
from liebig.data.table.reading import Table

_MOST_LEVELS: Final = 16
#: Steps are irregular where some of the times between them are further from the usual one than this share of it.
_IRREGULAR: Final = 0.01
_PARSED: Final = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is asked of a long table: columns by name, and for forecasts how many values are wanted after how many steps."""

    target: str | None
    series: str | None
    time: str | None
    horizon: int | None = None
    lookback: int | None = None


def of_table(table: Table, asked: Question, named: str) -> Found:
    """The sequences of a table, `named` in sentences. Raises UserError, one sentence, for what cannot be learnt from."""
    frame = table.frame
    for flag, column in (("--series", asked.series), ("--time", asked.time), ("--target", asked.target)):
        if column is not None and column not in frame.columns:
            raise UserError(f'{named} has no column "{column}" ({flag}).{did_you_mean(column, frame.columns)}')
    if asked.target is None:
        raise UserError(f"what is wanted of each sequence is said by --target; the columns of {named} are {', '.join(frame.columns)}")  # fmt: skip
    if len({asked.target, asked.series, asked.time} - {None}) < sum(each is not None for each in (asked.target, asked.series, asked.time)):  # fmt: skip
        raise UserError("--target, --series and --time name three different columns, however one was named twice")
    frame, _ = _ordered(frame, asked.series or "", asked.time or "", named)
    layout, notes = _layout(frame, table.comma, asked)
    borders = _borders(frame, layout)
    if asked.horizon is not None:
        return _forecasts(table.name, frame, layout, borders, asked, notes)
    if not layout.series:
        raise UserError(f"--series says which rows of {named} belong to one sequence; or --horizon asks for the next values of {asked.target}")  # fmt: skip
    targets = _one_each(frame[asked.target], borders, frame[layout.series], asked.target)
    if not layout.channels:
        raise UserError(f"{named} has no columns besides --target, --series and --time: there is nothing to learn from")
    data = read_steps(frame, layout)
    return Found(table.name, data, targets, (), ("",) * len(data), notes=notes, target_name=asked.target)


def with_layout(frame: pl.DataFrame, layout: Layout, named: str) -> SequenceData:
    """The sequences of a new table that lies as another did; of forecasts the last steps of each series. Raises UserError where a
    column is absent."""
    needed = [*layout.numbers, *(name for name, _ in layout.levels), *filter(None, (layout.series, layout.time))]
    for column in needed:
        if column not in frame.columns:
            raise UserError(f'the model needs the column "{column}", which {named} lacks.{did_you_mean(column, frame.columns)}')  # fmt: skip
    ordered, _ = _ordered(frame, layout.series, layout.time, named)
    if not layout.horizon:
        return read_steps(ordered, layout)
    series = _apart(_values(ordered, layout), _borders(ordered, layout))
    short = next((each for each in series if len(each) < layout.lookback), None)
    if short is not None:
        raise UserError(
            f"the model needs the last {layout.lookback} steps of each series, however one has {len(short)}"
        )
    values = np.stack([each[-layout.lookback :] for each in series])
    names = _series_names(ordered, layout, len(series))
    return SequenceData(
        values, np.full(len(values), layout.lookback, np.int64), layout.channels, names, _anchor(layout), layout
    )


def _anchor(layout: Layout) -> int:
    return layout.numbers.index(layout.target) if layout.horizon else -1


# --- rows ---------------------------------------------------------------------------------------------------------------------


def _ordered(frame: pl.DataFrame, series: str, time: str, named: str) -> tuple[pl.DataFrame, Reals | None]:
    """Rows of one sequence together, in the order of time; sequences in the order in which they first stand."""
    keys: list[NDArray[Any]] = []
    if series:
        column = words(frame[series])
        if column.null_count():
            raise UserError(f'{column.null_count()} rows of {named} have no "{series}": which sequence they belong to is not known')  # fmt: skip
        first = pl.DataFrame({"name": column}).with_row_index("row").group_by("name", maintain_order=True).first()
        place = pl.DataFrame({"name": column}).join(first, on="name", how="left", maintain_order="left")["row"]
        keys.append(place.to_numpy().astype(np.int64))
    moments = None
    if time:
        moments = moments_of(frame[time], named)
        keys.append(moments)
    if not keys:
        return frame, None
    order = np.lexsort(keys[::-1])
    if moments is not None:
        moments = moments[order]
        same = np.diff(moments) == 0
        if series:
            same &= np.diff(keys[0][order]) == 0
        if same.any():
            raise UserError(
                f'{int(same.sum())} rows of {named} have the same "{time}" as another of their sequence'
                + ("" if series else "; if there are several sequences, --series says which")
            )
    return frame[order], moments


def moments_of(series: pl.Series, named: str) -> Reals:
    """A column of times as numbers: numbers as they are, dates as seconds. Raises UserError where some are missing or neither."""
    found = to_reals(numbers(series, POINT))
    if np.isfinite(found).mean() < _PARSED:
        column = taken_for(series)
        if column.kind is not Kind.DATE:
            example = words(series).drop_nulls().head(1).to_list()
            raise UserError(f'the column "{series.name}" of {named} should hold times (numbers or dates), however it holds for example "{example[0] if example else ""}"')  # fmt: skip
        found = to_reals(dates(series, column.date_format))
    missing = int((~np.isfinite(found)).sum())
    if missing:
        raise UserError(f'{missing} rows of {named} have no time in "{series.name}"')
    return found


def _borders(frame: pl.DataFrame, layout: Layout) -> Rows:
    """Where each sequence begins among ordered rows, and the number of rows at the end."""
    if not layout.series:
        return np.array([0, frame.height], dtype=np.int64)
    names = words(frame[layout.series])
    begins = np.flatnonzero((names != names.shift(1)).fill_null(True).to_numpy())
    return np.append(begins, frame.height).astype(np.int64)


def _apart(values: Values, borders: Rows) -> list[Values]:
    return [values[a:b] for a, b in pairwise(borders.tolist())]


def _series_names(frame: pl.DataFrame, layout: Layout, count: int) -> tuple[str, ...]:
    if not layout.series:
        return ("series",) * count
    begins = _borders(frame, layout)[:-1]
    return tuple(words(frame[layout.series])[begins].to_list())


def _one_each(column: pl.Series, borders: Rows, names: pl.Series, target: str) -> pl.Series:
    """The target of each sequence, which all its rows must agree in."""
    text = words(column)
    values = []
    for a, b in pairwise(borders.tolist()):
        known = text[a:b].drop_nulls().unique()
        if len(known) > 1:
            raise UserError(
                f'the target "{target}" changes within the sequence "{names[int(a)]}": one value for each sequence is learnt; '
                "to forecast the next values say --horizon"
            )
        values.append(known[0] if len(known) else None)
    found = pl.Series(target, values, dtype=pl.String)
    as_numbers = found.cast(pl.Float64, strict=False)
    return as_numbers if column.dtype.is_float() and as_numbers.null_count() == found.null_count() else found


# --- columns -------------------------------------------------------------------------------------------------------------------


def _layout(frame: pl.DataFrame, comma: bool, asked: Question) -> tuple[Layout, tuple[str, ...]]:
    """What each column is; columns that are neither numbers nor a few categories are left out, and told."""
    target, series, time = asked.target or "", asked.series or "", asked.time or ""
    names, written, levels, notes = [], [], [], []
    for name in frame.columns:
        if name in {series, time} or (name == target and asked.horizon is None):
            continue
        style = _number_style(frame[name], comma)
        if style is not None:
            names.append(name)
            written.append(style)
        elif name == target:
            raise UserError(f'the target "{name}" should be numbers to be forecast, however it is not')
        else:
            own = words(frame[name]).drop_nulls().unique().sort().to_list()
            if 1 < len(own) <= _MOST_LEVELS:
                levels.append((name, tuple(own)))
            else:
                notes.append(f"{name} is not used: neither numbers nor up to {_MOST_LEVELS} categories")
    usual = _irregular(frame, series, time) if time else 0.0
    if usual:
        notes.append("the steps are irregular: the time since the step before is a channel")
    layout = Layout(series, time, target, tuple(names), tuple(written), tuple(levels), usual, asked.horizon or 0)
    return layout, tuple(notes)


def _number_style(series: pl.Series, comma: bool) -> str | None:
    """How the numbers of a column are written; None where it holds none."""
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return POINT
    known = len(words(series).drop_nulls())
    for style in (COMMA, POINT) if comma else (POINT, COMMA):
        if known and (known - (numbers(series, style).is_not_null().sum())) <= (1 - _PARSED) * known:
            return style
    return None


def _irregular(frame: pl.DataFrame, series: str, time: str) -> float:
    """The usual time between steps where it varies, else 0."""
    moments = moments_of(frame[time], "the table")
    between = np.diff(moments)
    if series:
        names = words(frame[series])
        between = between[(names == names.shift(1)).fill_null(False).to_numpy()[1:]]
    between = between[between > 0]
    if not len(between):
        return 0.0
    usual = float(np.median(between))
    return usual if float((np.abs(between - usual) > _IRREGULAR * usual).mean()) > _IRREGULAR else 0.0


def _values(frame: pl.DataFrame, layout: Layout) -> Values:
    """Ordered rows as float32 [rows, channels], NaN where missing."""
    columns = []
    for name, written in zip(layout.numbers, layout.written, strict=True):
        own = to_reals(numbers(frame[name], written))
        if np.isinf(own).any():
            raise UserError(f'the column "{name}" holds infinite values; leave them empty or correct them')
        columns.append(own)
    for name, levels in layout.levels:
        text = words(frame[name])
        for level in levels:
            columns.append(np.where(text.is_null().to_numpy(), np.nan, (text == level).fill_null(False).to_numpy()))
    if layout.usual:
        moments = moments_of(frame[layout.time], "the table")
        since = np.diff(moments, prepend=moments[:1]) / layout.usual
        since[_borders(frame, layout)[:-1]] = 1.0
        columns.append(since)
    return np.stack(columns, axis=1).astype(np.float32) if columns else np.zeros((frame.height, 0), np.float32)


def read_steps(frame: pl.DataFrame, layout: Layout) -> SequenceData:
    """Ordered rows as one sequence for each name."""
    series = _apart(_values(frame, layout), _borders(frame, layout))
    return SequenceData(*_padded(series), layout.channels, _series_names(frame, layout, len(series)), -1, layout)


def _padded(series: Sequence[Values]) -> tuple[Values, Rows]:
    lengths = np.array([len(each) for each in series], dtype=np.int64)
    values = np.full((len(series), int(lengths.max(initial=1)), series[0].shape[1]), np.nan, dtype=np.float32)
    for row, each in enumerate(series):
        values[row, : len(each)] = each
    return values, lengths


def _forecasts(
    name: str, frame: pl.DataFrame, layout: Layout, borders: Rows, asked: Question, notes: tuple[str, ...]
) -> Found:
    horizon = asked.horizon or 1
    anchor = _anchor(layout)
    series = _apart(_values(frame, layout), borders)
    seen = asked.lookback or lookback_for([each[: max(len(each) * 4 // 5, 1)] for each in series], anchor, horizon)
    starts = None
    if len(series) > 1 and layout.time:
        moments = moments_of(frame[layout.time], "the table")
        usual = layout.usual or float(np.median(np.diff(moments[: int(borders[1])]))) or 1.0
        starts = [float((moments[int(a)] - moments.min()) / usual) for a in borders[:-1]]
    windows = cut(series, anchor, horizon, seen, starts)
    whose = _series_names(frame, layout, len(series))
    told = tuple(f"{whose[i]}[{int(step)}]" for i, step in zip(windows.of, windows.moments, strict=True))
    own = replace(layout, lookback=seen)
    lengths = np.full(len(windows.values), seen, dtype=np.int64)
    data = SequenceData(windows.values, lengths, layout.channels, told, anchor, own)
    notes = (
        *notes,
        f"the next {horizon} values of {layout.target} are forecast from the {seen} steps before (--lookback)",
    )
    return Found(
        name, data, windows.wanted, (), ("",) * len(data), windows.moments, float(seen + horizon), notes, layout.target
    )
