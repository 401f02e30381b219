"""What enters a classical algorithm: plain columns, nothing fitted on them yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class ClassicalTable:
    """Rows of a table. `numbers` float32 [n, a], NaN where missing; `codes` int32 [n, b], -1 where missing or unseen, else
    the level's number in the whole table (only its identity means something). Names are [a] and [b]. Where rows are sequences,
    `sequences` float32 [n, steps, channels] are they themselves, NaN where missing and behind the end, of which `numbers` are
    summaries; `anchor` is the channel whose next values are forecast, -1 where none is."""

    numbers: NDArray[np.float32]
    codes: NDArray[np.int32]
    number_names: tuple[str, ...]
    category_names: tuple[str, ...]
    sequences: NDArray[np.float32] | None = None
    anchor: int = -1

    def __post_init__(self) -> None:
        if self.numbers.shape != (len(self.codes), len(self.number_names)):
            raise ValueError(f"numbers must be [n, {len(self.number_names)}], however {self.numbers.shape} came")
        if self.codes.shape != (len(self.numbers), len(self.category_names)):
            raise ValueError(f"codes must be [n, {len(self.category_names)}], however {self.codes.shape} came")

    @property
    def rows(self) -> int:
        return len(self.numbers)

    def take(self, rows: NDArray[Any]) -> ClassicalTable:
        """These rows, by number or by mask."""
        own = None if self.sequences is None else self.sequences[rows]
        return ClassicalTable(
            self.numbers[rows], self.codes[rows], self.number_names, self.category_names, own, self.anchor
        )
