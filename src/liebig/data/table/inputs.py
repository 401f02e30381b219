"""Inputs of a table.

Does: turns columns into what a network reads: numbers scaled and encoded, missing ones by the training median with an
  indicator beside it; categories as one-hot of the commonest levels, rarer ones together; dates as numbers (year, month,
  day, weekday, hour, days elapsed); text by hashed or weighted word counts. All is fitted on training rows alone.
Helps: every table; which scaling and which encoding matter more than most of what follows.
Misleads: levels that one part lacks are unseen there; the median of a column that is mostly missing says little.
Source: Gorishniy, Rubachev & Babenko 2022, arXiv:2203.05556, for numbers; Micci-Barreca 2001, "A Preprocessing Scheme for
  High-Cardinality Categorical Attributes", for target means.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from liebig.core.settings import Settings
from liebig.techniques.numbers import AnyNumbers
from liebig.techniques.numbers.plain import PlainNumbers
from liebig.techniques.scalings import AnyScaling
from liebig.techniques.scalings.standardise import Standardise
from liebig.techniques.targets import AnyTarget
from liebig.techniques.targets.standardise import StandardisedTarget

#: Columns of more levels than this may have target means.
MANY_LEVELS = 1000


class TableInputs(Settings):
    """How a table is encoded. `levels` is the most one-hot inputs of one column. `text` says how free text is read.
    `target` applies to regression. `cross_fitted_targets` adds the target's mean of each level, taken from other rows, for
    columns of more than a thousand levels. `without` names columns that are left out. A network with numeric or category embeddings of its own gets the scaled numbers
    or the codes in place of `numbers` or the one-hot inputs."""

    kind: Literal["table"] = "table"
    scale: AnyScaling = Standardise()
    numbers: AnyNumbers = PlainNumbers()
    levels: int = Field(128, ge=2, le=100_000)
    missing_indicator: bool = True
    dates: bool = True
    text: Literal["hashing", "tf-idf", "none"] = "hashing"
    target: AnyTarget = StandardisedTarget()
    cross_fitted_targets: bool = False
    without: tuple[str, ...] = ()

    @field_validator("without")
    @classmethod
    def _in_one_order(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        # Equal sets of columns are equal recipes.
        return tuple(sorted(set(names)))
