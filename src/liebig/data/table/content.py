"""The raw columns of a task as arrays: what every encoder starts from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from liebig.classical.table import ClassicalTable
from liebig.core.arrays import Reals, Rows
from liebig.core.errors import UserError, did_you_mean
from liebig.data.table.columns import Column, Kind, category_codes, date_parts, dates, numbers, to_reals, words

#: Numbers beyond this count as this.
LARGEST_NUMBER: Final = 1e100


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """The inputs of some rows, as values. `numbers` float64 [rows, numeric inputs], NaN where missing: columns of numbers
    and the parts of dates, in the order of `numeric_inputs`. `codes` int32 [rows, categories] (`columns.MISSING`, `UNSEEN`).
    `texts` one series for each column of text."""

    numbers: Reals
    codes: NDArray[np.int32]
    texts: tuple[pl.Series, ...]

    @property
    def rows(self) -> int:
        return len(self.numbers)

    def taking(self, rows: Rows) -> Raw:
        """These rows only."""
        return Raw(self.numbers[rows], self.codes[rows], tuple(text.gather(rows) for text in self.texts))


def joined_raw(parts: Sequence[Raw]) -> Raw:
    """The rows of all parts, one after another."""
    return Raw(
        np.concatenate([each.numbers for each in parts]), np.concatenate([each.codes for each in parts]),
        tuple(pl.concat(list(texts)) for texts in zip(*(each.texts for each in parts), strict=True)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NumericInput:
    """One numeric input: a column of numbers, or one part of a date."""

    column: str
    part: str = ""

    @property
    def name(self) -> str:
        return f"{self.column} ({self.part})" if self.part else self.column


def numeric_inputs(columns: Sequence[Column]) -> tuple[NumericInput, ...]:
    """The numeric inputs of these columns, in their order."""
    found: list[NumericInput] = []
    for column in columns:
        if column.is_input and column.kind is Kind.NUMBER:
            found.append(NumericInput(column.name))
        elif column.is_input and column.kind is Kind.DATE:
            found.extend(NumericInput(column.name, part) for part in column.parts)
    return tuple(found)


def of_kind(columns: Sequence[Column], kind: Kind) -> tuple[Column, ...]:
    """The inputs of one kind."""
    return tuple(column for column in columns if column.is_input and column.kind is kind)


def raw_of(frame: pl.DataFrame, columns: Sequence[Column]) -> Raw:
    """Read the cells of `frame` as `columns` say. Columns that `columns` lacks are left out; infinite numbers count as
    missing (a task refuses them, see `refuse_infinite`). Raises UserError when an input column is absent.
    """
    inputs = [column for column in columns if column.is_input]
    for column in inputs:
        if column.name not in frame.columns:
            raise UserError(
                f'the model needs the column "{column.name}", which the table lacks.'
                f"{did_you_mean(column.name, frame.columns)}"
            )
    numeric: list[Reals] = []
    for column in inputs:
        if column.kind is Kind.NUMBER:
            values = to_reals(numbers(frame[column.name], column.written))
            numeric.append(_bounded(values)[:, None])
        elif column.kind is Kind.DATE:
            numeric.append(date_parts(to_reals(dates(frame[column.name], column.date_format)), column.parts))
    codes = [category_codes(frame[column.name], column.levels) for column in of_kind(columns, Kind.CATEGORY)]
    return Raw(
        numbers=np.concatenate(numeric, axis=1) if numeric else np.zeros((frame.height, 0)),
        codes=np.stack(codes, axis=1) if codes else np.zeros((frame.height, 0), np.int32),
        texts=tuple(words(frame[column.name]).fill_null("") for column in of_kind(columns, Kind.TEXT)),
    )


def _bounded(values: Reals) -> Reals:
    """Infinite values as missing, and none so large that its square overflows."""
    return np.clip(np.where(np.isinf(values), np.nan, values), -LARGEST_NUMBER, LARGEST_NUMBER)


@dataclass(frozen=True, eq=False)
class TableData:
    """The raw columns of a task. `columns` are all columns of the table but the target; `raw` the values of those that are
    inputs; `frame` the cells as they came, for telling a row; `file_rows` int64 [rows] each row's number in its file (0 is
    the first below the names). `unlabelled` are the values of rows that have no target, which only pretraining reads."""

    columns: tuple[Column, ...]
    raw: Raw
    frame: pl.DataFrame
    file_rows: Rows
    comma: bool = field(default=False)
    unlabelled: Raw | None = None

    @property
    def inputs(self) -> tuple[Column, ...]:
        """The columns that are inputs."""
        return tuple(column for column in self.columns if column.is_input)

    @cached_property
    def numeric_inputs(self) -> tuple[NumericInput, ...]:
        return numeric_inputs(self.columns)

    @cached_property
    def distinct(self) -> tuple[int, ...]:
        """How many values each numeric input has over all rows."""
        return tuple(len(np.unique(column[~np.isnan(column)])) for column in self.raw.numbers.T)

    @cached_property
    def categories(self) -> tuple[Column, ...]:
        return of_kind(self.columns, Kind.CATEGORY)

    @cached_property
    def text_columns(self) -> tuple[Column, ...]:
        return of_kind(self.columns, Kind.TEXT)

    def without(self, names: Collection[str]) -> TableData:
        """The same table, in which the columns `names` are not inputs."""
        if not any(column.name in names for column in self.inputs):
            return self
        numeric = [i for i, each in enumerate(self.numeric_inputs) if each.column not in names]
        codes = [i for i, each in enumerate(self.categories) if each.name not in names]
        texts = [i for i, each in enumerate(self.text_columns) if each.name not in names]

        def left(raw: Raw) -> Raw:
            return Raw(raw.numbers[:, numeric], raw.codes[:, codes], tuple(raw.texts[i] for i in texts))

        more = None if self.unlabelled is None else left(self.unlabelled)
        columns = tuple(each.ignored("left out by the recipe") if each.name in names else each for each in self.columns)
        return TableData(columns, left(self.raw), self.frame, self.file_rows, self.comma, more)

    def cells(self, row: int) -> Mapping[str, str]:
        """One row as it came, for telling it."""
        values: dict[str, Any] = self.frame.row(row, named=True)
        return {name: "" if cell is None else str(cell) for name, cell in values.items()}

    def classical(self, rows: Rows) -> ClassicalTable:
        """What the classical algorithms read of these rows: numbers with NaN, codes with -1. Text is left out."""
        return classical_of(Raw(self.raw.numbers[rows], self.raw.codes[rows], ()), self.columns)


def classical_of(raw: Raw, columns: Sequence[Column]) -> ClassicalTable:
    """What the classical algorithms read of `raw`, the cells of `columns`: numbers with NaN, codes with -1, no text."""
    return ClassicalTable(
        numbers=raw.numbers.astype(np.float32),
        codes=np.maximum(raw.codes, -1),
        number_names=tuple(each.name for each in numeric_inputs(columns)),
        category_names=tuple(each.name for each in of_kind(columns, Kind.CATEGORY)),
    )
