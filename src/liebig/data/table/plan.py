"""The plan of an encoding: which inputs there are and where each comes from.

It follows from the columns (work rows), the settings and what the network wants, never from a block's own rows: so the
encoders of all blocks have one signature. A block that lacks a level, or fits fewer edges, leaves inputs at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from liebig.data.table.columns import Column, Kind
from liebig.data.table.content import NumericInput, numeric_inputs, of_kind
from liebig.data.table.inputs import MANY_LEVELS, TableInputs
from liebig.data.table.target_means import MOST_CLASSES
from liebig.data.table.text import WIDTH
from liebig.stack.specs import Signature, Wants


@dataclass(frozen=True, slots=True)
class OneHot:
    """The inputs of one category: from `start`, one for each of the `width` commonest levels, then one for rarer and unseen
    ones (`other`), then one for missing ones; -1 where there is none."""

    column: str
    start: int
    width: int
    other: int
    missing: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each input comes from. Dense inputs stand in this order: scaled numbers, piecewise-linear codes, slots (one-hot
    and missing indicators), text, target means.

    `used` are positions in `Raw.numbers`; `widths` the codes of each; `indicators` those of them whose missing cells have a
    slot, from slot `first_indicator` on; `mean_columns` positions in `Raw.codes` of columns with target means.
    """

    numeric: tuple[NumericInput, ...]
    used: tuple[int, ...]
    has_numbers: bool
    widths: tuple[int, ...]
    one_hot: tuple[OneHot, ...]
    indicators: tuple[int, ...]
    first_indicator: int
    slots: int
    texts: tuple[str, ...]
    mean_columns: tuple[int, ...]
    mean_width: int
    signature: Signature


def plan_of(
    columns: Sequence[Column], inputs: TableInputs, wants: Wants, distinct: Sequence[int], classes: int
) -> Plan:
    """The plan. `distinct` counts the values of each numeric input over work rows; `classes` is 0 for regression."""
    every = numeric_inputs(columns)
    used = tuple(i for i, each in enumerate(every) if inputs.dates or not each.part)
    numeric = tuple(every[i] for i in used)
    widths = tuple(0 if wants.numbers else inputs.numbers.width(distinct[i]) for i in used)
    has_numbers = not wants.numbers and inputs.numbers.keeps_number
    by_name = {column.name: column for column in columns}
    one_hot, slots = _one_hot(() if wants.codes else of_kind(columns, Kind.CATEGORY), inputs.levels)
    indicators = tuple(
        i for i, each in enumerate(numeric)
        if inputs.missing_indicator and by_name[each.column].has_missing and each.column not in {n.column for n in numeric[:i]}
    )  # fmt: skip
    texts = tuple(column.name for column in of_kind(columns, Kind.TEXT)) if inputs.text != "none" else ()
    with_means = inputs.cross_fitted_targets and classes <= MOST_CLASSES
    categories = of_kind(columns, Kind.CATEGORY)
    means = tuple(i for i, column in enumerate(categories) if with_means and len(column.levels) > MANY_LEVELS)
    mean_width = classes if classes > 2 else 1
    names = [each.name for each in numeric] if has_numbers else []
    names += [each.name for each, width in zip(numeric, widths, strict=True) for _ in range(width)]
    for each in one_hot:
        names += [each.column] * (each.width + (each.other >= 0) + (each.missing >= 0))
    names += [numeric[i].name for i in indicators]
    names += [name for name in texts for _ in range(WIDTH)]
    names += [categories[i].name for i in means for _ in range(mean_width)]
    signature = Signature(
        dense=len(names), numbers=len(numeric) if wants.numbers else 0,
        levels=tuple(len(column.levels) + 1 for column in categories) if wants.codes else (), columns=tuple(names),
    )  # fmt: skip
    return Plan(
        numeric, used, has_numbers, widths, one_hot, indicators, slots, slots + len(indicators), texts, means, mean_width,
        signature,
    )  # fmt: skip


def _one_hot(categories: Sequence[Column], most: int) -> tuple[tuple[OneHot, ...], int]:
    found, start = [], 0
    for column in categories:
        width = min(most, len(column.levels))
        end = start + width
        other = end if len(column.levels) > width else -1
        missing = end + (other >= 0) if column.has_missing else -1
        found.append(OneHot(column.name, start, width, other, missing))
        start = end + (other >= 0) + (missing >= 0)
    return tuple(found), start
