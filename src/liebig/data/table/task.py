"""From a table to a task: what is learnt from what, how it is judged, which rows are sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from liebig.core.arrays import Reals, Rows
from liebig.core.errors import UserError, did_you_mean
from liebig.core.evidence import DataProfile
from liebig.core.metric import ACCURACY, RMSE, ROC_AUC, Metric, metric_named
from liebig.core.task import Parts, Task, TaskKind
from liebig.data.table.columns import Column, Kind, dates, numbers, to_reals, words
from liebig.data.table.content import Raw, TableData, joined_raw, raw_of
from liebig.data.table.kinds import check_said, taken_for
from liebig.data.table.parts import (
    RARE_CLASS,
    duplicate_groups,
    joined,
    latest_rows,
    repeated_rows,
    row_hashes,
    sealed_rows,
)
from liebig.data.table.profile import profile_of
from liebig.data.table.reading import Table, read_table
from liebig.data.table.target import Target, class_codes, target_of

#: Fewer rows than this cannot be split five ways with something left to learn from.
LEAST_ROWS = 20


@dataclass(frozen=True, slots=True, eq=False)
class TableTask:
    """A task on a table. `notes` are sentences for the user; `target_why` says why the target was taken for its kind."""

    task: Task[TableData]
    profile: DataProfile
    notes: tuple[str, ...]
    target_why: str


@dataclass(frozen=True, slots=True)
class _Roles:
    """Columns with a role of their own."""

    target: str
    weights: str | None
    group: str | None
    time: str | None


def table_task(
    source: object,
    target: str | None,
    *,
    kind: str | None = None,
    metric: str | None = None,
    columns: Mapping[str, str] | None = None,
    weights: str | None = None,
    group: str | None = None,
    time: str | None = None,
    test: object | None = None,
    unlabelled: object | None = None,
    seed: int = 0,
    sealed_share: float = 0.2,
) -> TableTask:
    """The task of predicting the column `target` of `source` (anything that `read_table` takes).

    `kind` ("binary", "multiclass", "regression") and `metric` are found when None. `columns` corrects what columns are
    taken for ("number", "category", "date", "text", "ignore"). `weights`, `group`, `time` name columns. `test` is the
    user's own test table, which becomes the sealed part; without it `sealed_share` of the rows are sealed, stratified
    (with `time`: the latest). `unlabelled` is a table of rows whose target nobody knows; pretraining reads them, and those of
    `source` whose target is missing.

    Raises UserError, one sentence, for whatever cannot be learnt from.
    """
    table = source if isinstance(source, Table) else read_table(source)
    if not 0.0 < sealed_share < 1.0:
        raise UserError(f"the sealed share must lie between 0 and 1, however {sealed_share} came")
    roles = _Roles(_named(table, target), weights, group, time)
    said = dict(columns or {})
    check_said(said, table.frame.columns)
    for name, option in ((weights, "weights"), (group, "group"), (time, "time")):
        if name is not None:
            _role_column(table, name, option, roles.target)
    found = target_of(table.frame[roles.target], kind, table.comma)
    notes: list[str] = []
    known = np.flatnonzero(np.isfinite(found.values)).astype(np.int64)
    dropped = len(found.values) - len(known)
    if dropped:
        notes.append(f'{dropped} of {len(found.values)} rows were dropped: their target "{roles.target}" is missing')
    found = replace(found, values=found.values[known])
    work = table.frame if not dropped else table.frame[known]
    _enough(found, roles.target)
    test_frame, test_values, shared = _test_part(test, work, roles, found, table.comma, notes)
    schema = _schema(work, roles, said, table.comma, notes)
    whole = work if test_frame is None else pl.concat([work, test_frame], how="vertical_relaxed")
    values = found.values if test_values is None else np.concatenate([found.values, test_values])
    refuse_infinite(whole, schema)
    hashes = row_hashes(whole)
    groups = _groups(whole, roles, hashes, notes)
    moments = None if roles.time is None else _moments(whole, roles.time, table.comma)
    parts = _parts(found, values, groups, moments, work.height, sealed_share, seed, test_frame is not None, notes)
    file_rows = known if test_frame is None else np.concatenate([known, np.arange(test_frame.height)])
    bare = np.setdiff1d(np.arange(table.frame.height), known)
    more = _without_target(table.frame[bare], unlabelled, schema, notes)
    data = TableData(schema, raw_of(whole, schema), whole, file_rows, table.comma, more)
    task = Task(
        name=table.name, kind=found.kind, target_name=roles.target, target=values, classes=found.classes,
        metric=_metric(metric, found.kind), parts=parts, data=data, seed=seed,
        weights=None if roles.weights is None else _weights(whole, roles.weights, table.comma), groups=groups, time=moments,
    )  # fmt: skip
    profile = profile_of(task, repeated_rows(hashes[parts.work]), shared, dropped, found.why)
    return TableTask(task, profile, tuple(notes), found.why)


def _named(table: Table, target: str | None) -> str:
    names = table.frame.columns
    if target is None:
        raise UserError(f"a target is needed; the columns are {', '.join(names)}")
    if target not in names:
        near = did_you_mean(target, names)
        listed = "" if near else f" The columns are {', '.join(names[:30])}{', ...' if len(names) > 30 else ''}."
        raise UserError(f'there is no column "{target}" to be the target.{near}{listed}')
    return target


def _without_target(
    bare: pl.DataFrame, given: object | None, schema: tuple[Column, ...], notes: list[str]
) -> Raw | None:
    """The inputs of the rows that have no target: those of the table itself, and a table of the user's."""
    parts = [raw_of(bare, schema)] if bare.height else []
    if given is not None:
        table = given if isinstance(given, Table) else read_table(given, least_columns=1)
        for column in schema:
            if column.is_input and column.name not in table.frame.columns:
                raise UserError(
                    f'the table of rows without a target lacks the column "{column.name}".'
                    f"{did_you_mean(column.name, table.frame.columns)}"
                )
        refuse_infinite(table.frame, schema)
        parts.append(raw_of(table.frame, schema))
        notes.append(f"{table.frame.height:,} rows without a target: only pretraining reads them")
    return joined_raw(parts) if parts else None


def _role_column(table: Table, name: str, option: str, target: str) -> None:
    if name not in table.frame.columns:
        raise UserError(f'there is no column "{name}" for the {option}.{did_you_mean(name, table.frame.columns)}')
    if name == target:
        raise UserError(f'the column "{name}" cannot be both the target and the {option}')


def _enough(found: Target, name: str) -> None:
    rows = len(found.values)
    if rows < LEAST_ROWS:
        raise UserError(
            f'at least {LEAST_ROWS} rows with a target are needed to split them, however "{name}" is known in {rows}'
        )
    if found.kind.is_classification:
        counts = np.bincount(found.values.astype(np.int64), minlength=len(found.classes))
        if int((counts >= RARE_CLASS).sum()) < 2:
            listed = ", ".join(f'"{c}": {n}' for c, n in zip(found.classes[:6], counts[:6], strict=True))
            raise UserError(f'at least two classes of "{name}" need {RARE_CLASS} rows each, however it has {listed}')


def _metric(said: str | None, kind: TaskKind) -> Metric:
    if said is not None:
        return metric_named(said, kind.is_classification)
    return {TaskKind.BINARY: ROC_AUC, TaskKind.MULTICLASS: ACCURACY, TaskKind.REGRESSION: RMSE}[kind]


def _schema(
    work: pl.DataFrame, roles: _Roles, said: Mapping[str, str], comma: bool, notes: list[str]
) -> tuple[Column, ...]:
    columns = []
    for series in work.get_columns():
        if series.name == roles.target:
            continue
        column = taken_for(series, said.get(series.name), comma)
        if series.name in {roles.group, roles.weights}:
            role = "group" if series.name == roles.group else "weights"
            column = column.ignored(f"it holds the {role}")
        elif series.name == roles.time:
            column = _time_as_input(column)
        columns.append(column)
    if not any(column.is_input for column in columns):
        reasons = "; ".join(f'"{column.name}": {column.why}' for column in columns[:5])
        raise UserError(f'no column is left to predict "{roles.target}" from ({reasons})')
    left = [column.name for column in columns if not column.is_input and column.kind is Kind.IDENTIFIER]
    if left:
        notes.append(f"left out as identifiers: {', '.join(left)}; --columns NAME=category (or number) takes one in")
    return tuple(columns)


def _time_as_input(column: Column) -> Column:
    """The future has other years: of the time only what comes again may be an input."""
    recurring = tuple(part for part in column.parts if part not in {"elapsed", "year"})
    if column.kind is Kind.DATE and recurring:
        return replace(column, parts=recurring, why=f"{column.why}; the time, of which only what recurs is an input")
    return column.ignored("it holds the time")


def refuse_infinite(frame: pl.DataFrame, columns: tuple[Column, ...]) -> None:
    """Raise UserError when an input holds infinite numbers, naming the column."""
    for column in columns:
        if column.is_input and column.kind is Kind.NUMBER:
            values = numbers(frame[column.name], column.written)
            infinite = int(values.is_infinite().sum())
            if infinite:
                raise UserError(
                    f'column "{column.name}" holds {infinite} infinite values; correct them, leave them empty, '
                    f"or leave the column out (--columns {column.name}=ignore)"
                )


def _groups(whole: pl.DataFrame, roles: _Roles, hashes: pl.Series, notes: list[str]) -> Rows | None:
    copies = duplicate_groups(hashes)
    if copies is not None:
        notes.append(f"{repeated_rows(hashes)} rows stand more than once; copies of a row stay in one part")
    if roles.group is None:
        return copies
    text = words(whole[roles.group])
    if text.null_count():
        raise UserError(f'the group "{roles.group}" is missing in {text.null_count()} rows; every row must have one')
    own = np.unique(text.to_numpy().astype(str), return_inverse=True)[1].astype(np.int64).reshape(-1)
    if own.max() < 4:
        raise UserError(f'at least 5 groups are needed to split them, however "{roles.group}" has {int(own.max()) + 1}')
    return own if copies is None else joined(own, copies)


def _moments(whole: pl.DataFrame, name: str, comma: bool) -> Reals:
    column = taken_for(whole[name], None, comma)
    if column.kind is Kind.DATE:
        moments = to_reals(dates(whole[name], column.date_format))
    else:
        moments = to_reals(numbers(whole[name], column.written))
    missing = int((~np.isfinite(moments)).sum())
    if missing:
        raise UserError(f'the time "{name}" must be a date or a number in every row, however {missing} rows have none')
    if moments.min() == moments.max():
        raise UserError(f'the time "{name}" is the same in every row; there is no past to learn from')
    return moments


def _weights(whole: pl.DataFrame, name: str, comma: bool) -> Reals:
    weights = to_reals(numbers(whole[name], taken_for(whole[name], None, comma).written))
    bad = int((~np.isfinite(weights) | (weights < 0)).sum())
    if bad:
        raise UserError(f'the weights "{name}" must be numbers from 0 up, however {bad} rows have none')
    if weights.sum() == 0:
        raise UserError(f'the weights "{name}" are all 0')
    return np.asarray(weights / weights.mean(), dtype=np.float64)


def _parts(
    found: Target, values: Reals, groups: Rows | None, moments: Reals | None, work_rows: int, share: float, seed: int,
    test_given: bool, notes: list[str],
) -> Parts:  # fmt: skip
    every = np.arange(len(values), dtype=np.int64)
    if test_given:
        return Parts(every[:work_rows], every[work_rows:], test_given=True)
    if moments is not None:
        sealed = latest_rows(moments, share)
    else:
        sealed = sealed_rows(values, found.kind, groups, share, seed)
    work = np.setdiff1d(every, sealed)
    if found.kind.is_classification:
        counts = np.bincount(values.astype(np.int64), minlength=len(found.classes))
        rare = [f'"{found.classes[c]}" ({counts[c]})' for c in np.flatnonzero(counts < RARE_CLASS)]
        if rare:
            notes.append(
                f"classes with fewer than {RARE_CLASS} rows are trained on, never judged: {', '.join(rare[:8])}"
            )
        in_work = np.bincount(values[work].astype(np.int64), minlength=len(found.classes))
        if int((in_work > 0).sum()) < 2:
            raise UserError(
                "the rows before the sealed part hold one class only; --time or --group leaves nothing to learn"
            )
    if len(sealed) == 0 or len(work) < LEAST_ROWS // 2:
        raise UserError(
            f"the rows cannot be split: {len(work)} would be left to learn from and {len(sealed)} to judge on"
        )
    return Parts(work, sealed)


def _test_part(
    test: object | None, work: pl.DataFrame, roles: _Roles, found: Target, comma: bool, notes: list[str]
) -> tuple[pl.DataFrame | None, Reals | None, int]:
    """The user's own test rows, in the columns of `work`; their target; rows of `work` that stand again in them."""
    if test is None:
        return None, None, 0
    table = test if isinstance(test, Table) else read_table(test)
    for name in work.columns:
        if name not in table.frame.columns:
            raise UserError(f'the test table lacks the column "{name}".{did_you_mean(name, table.frame.columns)}')
    frame = table.frame[work.columns]
    text = words(frame[roles.target])
    if found.kind.is_classification:
        new = sorted(set(text.drop_nulls().unique().to_list()) - set(found.classes))
        if new:
            raise UserError(
                f'the test table has the class "{new[0]}" of "{roles.target}", which the training table lacks'
            )
        values = class_codes(text, found.classes)
    else:
        values = to_reals(numbers(frame[roles.target], found.written))
    known = np.isfinite(values)
    if not known.any():
        raise UserError(f'the target "{roles.target}" is missing in every row of the test table')
    if not known.all():
        notes.append(f"{int((~known).sum())} of {len(known)} test rows were dropped: their target is missing")
    frame = _same_types(frame.filter(pl.Series(known)), work)
    again = int(row_hashes(work).is_in(row_hashes(frame).implode()).sum())
    if again:
        notes.append(f"{again} training rows stand again in the test table, target and all")
    return frame, values[known], again


def _same_types(frame: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    """`frame` with the types of `like`, so that cells compare; a column that differs is read as text, then as that."""
    columns = []
    for series, wanted in zip(frame.get_columns(), like.get_columns(), strict=True):
        if series.dtype == wanted.dtype:
            columns.append(series)
        elif wanted.dtype.is_integer() and series.dtype.is_float():
            columns.append(series)  # a whole column with a fraction or a gap: both become floats when joined
        elif wanted.dtype.is_numeric() and not series.dtype.is_temporal():
            columns.append(numbers(series, "point").cast(wanted.dtype, strict=False).alias(series.name))
        elif wanted.dtype == pl.String:
            columns.append(words(series).alias(series.name))
        else:
            columns.append(series.cast(wanted.dtype, strict=False))
    return pl.DataFrame(columns)
