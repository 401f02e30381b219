"""Numbers and category levels side by side, for trees: levels renumbered so that a tree can hold them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liebig.classical.storing import Arrays, joined, parted
from liebig.classical.table import ClassicalTable

#: Histogram trees hold at most 255 levels of a column; one is for all that are rarer.
_MOST: Final = 254


@dataclass(frozen=True, slots=True, eq=False)
class TreeEncoding:
    """The levels of each category that are told apart, commonest first; the rest, and what is unseen, share a number.
    `known` [a + b] is False for columns without any value: they are 0 throughout, since trees cannot bin them."""

    levels: tuple[NDArray[np.int32], ...]
    known: NDArray[np.bool_]

    @staticmethod
    def fit(table: ClassicalTable) -> TreeEncoding:
        kept = []
        for column in table.codes.T:
            levels, counts = np.unique(column[column >= 0], return_counts=True)
            kept.append(levels[np.argsort(-counts, kind="stable")[:_MOST]].astype(np.int32))
        has_numbers = np.any(np.isfinite(table.numbers), axis=0).reshape(-1)
        has_levels = np.array([len(levels) > 0 for levels in kept], dtype=np.bool_)
        return TreeEncoding(tuple(kept), np.concatenate([has_numbers, has_levels]))

    def encode(self, table: ClassicalTable) -> NDArray[np.float32]:
        """float32 [n, a + b]: numbers as they are (NaN missing or infinite), then levels 0, 1, ... (NaN missing)."""
        columns = [np.where(np.isfinite(table.numbers), table.numbers, np.float32(np.nan))]
        for column, kept in zip(table.codes.T, self.levels, strict=True):
            order = np.argsort(kept)
            at = np.searchsorted(kept[order], column).clip(max=max(len(kept) - 1, 0))
            found = (kept[order][at] == column) if len(kept) else np.zeros(len(column), dtype=bool)
            place = order[at] if len(kept) else np.zeros(len(column))
            number = np.where(found, place, len(kept)).astype(np.float32)
            number[column < 0] = np.nan
            columns.append(number[:, None])
        encoded = np.concatenate(columns, axis=1, dtype=np.float32)
        encoded[:, ~self.known] = 0.0
        return encoded

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it, for `Stored`."""
        return {"known": self.known, **joined("levels", self.levels, np.zeros(0, np.int32))}

    @staticmethod
    def from_arrays(arrays: Arrays) -> TreeEncoding:
        """The encoding that `arrays` told."""
        return TreeEncoding(tuple(parted("levels", arrays)), arrays["known"])
