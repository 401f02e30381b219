"""What is learnt: the target's kind, its classes, its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from liebig.core.arrays import Reals
from liebig.core.errors import UserError, did_you_mean
from liebig.core.task import TaskKind
from liebig.data.table.columns import POINT, Kind, nameless, numbers, to_reals, words
from liebig.data.table.kinds import taken_for

#: Whole numbers with at most so many values are classes, unless `kind` says otherwise.
_MOST_CODES: Final = 10
_MOST_CLASSES: Final = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """`values` float64 [rows], NaN where missing; class codes in the order of `classes`. `why` says why this kind.
    `written` is how numbers are written."""

    kind: TaskKind
    values: Reals
    classes: tuple[str, ...]
    why: str
    written: str = POINT


def target_of(series: pl.Series, said: str | None, comma: bool) -> Target:
    """The target, its kind found or as `said` ("binary", "multiclass", "regression").

    Raises UserError when all is missing, there is one value only, or the cells cannot be read as said.
    """
    name, column = series.name, taken_for(series, None, comma)
    wanted = _wanted(said)
    series, text = nameless(series), words(series)
    known = len(text) - text.null_count()
    if known == 0:
        raise UserError(f'the target "{name}" is missing in every row')
    distinct = text.drop_nulls().n_unique()
    if distinct == 1:
        raise UserError(f'the target "{name}" has one value only, "{text.drop_nulls()[0]}"; at least two are needed')
    is_number = (
        column.kind is Kind.NUMBER
        or (column.kind is Kind.IDENTIFIER and series.dtype.is_numeric())
        or (column.kind is Kind.IDENTIFIER and numbers(text, POINT).null_count() == text.null_count())
    )
    if wanted is TaskKind.REGRESSION:
        return _regression(name, series, column.written if is_number else None, "you said so")
    if wanted is not None:
        return _classes(name, text, wanted, "you said so")
    if distinct == 2:
        return _classes(name, text, TaskKind.BINARY, "two values")
    if is_number:
        values = numbers(series, column.written).drop_nulls()
        whole = bool((values == values.round()).all())
        if whole and distinct <= _MOST_CODES and known >= 5 * distinct:
            return _classes(
                name, text, TaskKind.MULTICLASS, f"{distinct} whole numbers; --task regression takes them as numbers"
            )
        return _regression(name, series, column.written, "numbers")
    if column.kind is Kind.DATE:
        raise UserError(f'the target "{name}" holds dates; a number or classes were expected')
    if distinct > max(20, 0.5 * known):
        raise UserError(
            f'the target "{name}" has {distinct} different words in {known} rows; a number, or classes that repeat, were expected'
        )
    return _classes(name, text, TaskKind.MULTICLASS, f"{distinct} classes")


def _wanted(said: str | None) -> TaskKind | None:
    if said is None:
        return None
    kinds = [str(kind) for kind in TaskKind]
    if said not in kinds:
        raise UserError(f'there is no task "{said}"; known are {", ".join(kinds)}.{did_you_mean(said, kinds)}')
    return TaskKind(said)


def _regression(name: str, series: pl.Series, written: str | None, why: str) -> Target:
    values = to_reals(numbers(series, written or POINT))
    if written is None and np.isfinite(values).sum() < 0.5 * len(values):
        example = words(series).drop_nulls()[0]
        raise UserError(f'the target "{name}" should be numbers, however it holds for example "{example}"')
    infinite = int(np.isinf(values).sum())
    if infinite:
        raise UserError(f'the target "{name}" holds {infinite} infinite values; leave them empty or correct them')
    known = values[np.isfinite(values)]
    if len(known) == 0 or known.min() == known.max():
        raise UserError(f'the target "{name}" has one value only; at least two are needed')
    if np.abs(known).max() > 1e30:
        raise UserError(
            f'the target "{name}" reaches {np.abs(known).max():.1e}, more than single precision holds; use a larger unit'
        )
    return Target(TaskKind.REGRESSION, values, (), why, written or POINT)


def _classes(name: str, text: pl.Series, kind: TaskKind, why: str) -> Target:
    names = class_order(text.drop_nulls().unique().to_list())
    if kind is TaskKind.BINARY and len(names) != 2:
        raise UserError(f'the target "{name}" should have two classes, however it has {len(names)}')
    if len(names) > _MOST_CLASSES:
        raise UserError(
            f'the target "{name}" has {len(names)} classes, at most {_MOST_CLASSES} can be learnt; '
            "for numbers say --task regression"
        )
    # Two classes are one question, whatever they were called.
    kind = TaskKind.BINARY if len(names) == 2 else kind
    return Target(kind, class_codes(text, names), names, why)


def class_order(names: list[str]) -> tuple[str, ...]:
    """Classes in the order of their numbers where all are numbers, else of their letters."""
    try:
        return tuple(sorted(names, key=float))
    except ValueError:
        return tuple(sorted(names))


def class_codes(text: pl.Series, classes: tuple[str, ...]) -> Reals:
    """Codes of class names, float64 [rows]; NaN where missing or not among `classes`."""
    codes = {name: float(code) for code, name in enumerate(classes)}
    return to_reals(text.replace_strict(codes, default=None, return_dtype=pl.Float64))
