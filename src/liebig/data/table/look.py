"""A first look at a table: what each column is taken for, and what could be learnt. No target is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from liebig.core.errors import UserError
from liebig.core.task import TaskKind
from liebig.data.table.columns import Column, Kind, numbers, words
from liebig.data.table.kinds import check_said, taken_for
from liebig.data.table.reading import Table, read_table
from liebig.data.table.target import target_of

_EXAMPLES: Final = 3
_TARGET_NAMES: Final = frozenset({"target", "label", "class", "y", "outcome", "response", "result"})


@dataclass(frozen=True, slots=True)
class SeenColumn:
    """One column. `missing` is a share of the rows; `examples` are the first different cells; `task` is what it could be the
    target of ("" for none)."""

    name: str
    kind: str
    why: str
    is_input: bool
    missing: float
    distinct: int
    examples: tuple[str, ...]
    infinite: int
    task: str


@dataclass(frozen=True, slots=True)
class TableLook:
    """What a table is taken for. `candidates` are the columns that could be the target, the likeliest first."""

    name: str
    rows: int
    columns: tuple[SeenColumn, ...]
    candidates: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        names = SeenColumn.__dataclass_fields__
        columns = [{name: getattr(column, name) for name in names} for column in self.columns]
        for column in columns:
            column["examples"] = list(column["examples"])
        return {"name": self.name, "rows": self.rows, "columns": columns, "candidates": list(self.candidates)}

    def text(self) -> str:
        """As lines for a terminal."""
        width = max([len(column.name) for column in self.columns] + [6])
        lines = [f"{self.name}: {self.rows} rows, {len(self.columns)} columns", ""]
        lines.append(f"{'column':<{width}}  {'kind':<10}  {'missing':>7}  {'distinct':>8}  taken for this because")
        for column in self.columns:
            kind = column.kind if column.is_input else f"({column.kind})"
            examples = f" ({', '.join(column.examples)})" if column.examples else ""
            infinite = f"; {column.infinite} infinite" if column.infinite else ""
            lines.append(
                f"{column.name:<{width}}  {kind:<10}  {column.missing:>7.1%}  {column.distinct:>8}  "
                f"{column.why}{examples}{infinite}"
            )
        if any(not column.is_input for column in self.columns):
            lines += ["", "Kinds in brackets are left out; --columns NAME=KIND takes one in."]
        if self.candidates:
            lines += ["", f"A target could be: {', '.join(self._told(name) for name in self.candidates)}"]
        return "\n".join(lines)

    def _told(self, name: str) -> str:
        return f"{name} ({next(column.task for column in self.columns if column.name == name)})"


def look(source: object, *, columns: Mapping[str, str] | None = None) -> TableLook:
    """Look at a table (anything that `read_table` takes); `columns` corrects kinds as in `table_task`.

    Raises UserError.
    """
    table = source if isinstance(source, Table) else read_table(source)
    said = dict(columns or {})
    check_said(said, table.frame.columns)
    seen = tuple(_seen(series, said.get(series.name), table.comma) for series in table.frame.get_columns())
    return TableLook(table.name, table.frame.height, seen, _candidates(seen))


def _seen(series: pl.Series, said: str | None, comma: bool) -> SeenColumn:
    column = taken_for(series, said, comma)
    text = words(series)
    infinite = 0
    if column.kind is Kind.NUMBER:
        infinite = int(numbers(series, column.written).is_infinite().sum())
    examples = tuple(_short(cell) for cell in text.drop_nulls().head(2000).unique(maintain_order=True).head(_EXAMPLES))
    return SeenColumn(
        name=series.name, kind=str(column.kind), why=column.why, is_input=column.is_input,
        missing=text.null_count() / max(len(series), 1), distinct=column.distinct, examples=examples, infinite=infinite,
        task=_task(series, column, comma),
    )  # fmt: skip


def _short(cell: str) -> str:
    flat = " ".join(cell.split())
    return flat if len(flat) <= 24 else flat[:23] + "…"


def _task(series: pl.Series, column: Column, comma: bool) -> str:
    if column.kind in {Kind.CONSTANT, Kind.IDENTIFIER, Kind.TEXT, Kind.DATE}:
        return ""
    try:
        return str(target_of(series, None, comma).kind)
    except UserError:
        return ""


def _candidates(columns: tuple[SeenColumn, ...]) -> tuple[str, ...]:
    """A column named like a target, the last one, the first one, then those with two classes: at most five."""
    able = [column for column in columns if column.task]
    order: list[SeenColumn] = [column for column in able if column.name.casefold() in _TARGET_NAMES]
    order += [column for column in (columns[-1], columns[0]) if column.task]
    order += [column for column in able if column.task == TaskKind.BINARY]
    return tuple(dict.fromkeys(column.name for column in order))[:5]
