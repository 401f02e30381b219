"""Columns as one dense matrix, for algorithms that measure lengths: standardised numbers, one-hot of common levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liebig.classical.storing import Arrays, joined, parted
from liebig.classical.table import ClassicalTable

#: Levels of one column, and of all columns together, that get an indicator of their own.
_LEVELS: Final = 128
_INDICATORS: Final = 2048


@dataclass(frozen=True, slots=True, eq=False)
class DenseEncoding:
    """What was fitted: `middle`, `mean`, `spread` [a] of the numbers, which columns had missing values [a], and the levels
    of each category that have an indicator (ascending)."""

    middle: NDArray[np.float64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    has_missing: NDArray[np.bool_]
    levels: tuple[NDArray[np.int32], ...]

    @staticmethod
    def fit(table: ClassicalTable) -> DenseEncoding:
        """Fit on all rows of `table`. Missing numbers count as the column's median."""
        numbers = table.numbers.astype(np.float64)
        known = np.isfinite(numbers)
        numbers[~known] = np.nan
        middle = np.zeros(numbers.shape[1])
        some = known.any(axis=0)
        middle[some] = np.nanmedian(numbers[:, some], axis=0)
        numbers = np.where(known, numbers, middle)
        spread = numbers.std(axis=0)
        spread[spread <= 1e-12 * np.maximum(np.abs(middle), 1.0)] = 1.0
        most = min(_LEVELS, max(_INDICATORS // max(table.codes.shape[1], 1), 2))
        levels = tuple(_common_levels(column, most) for column in table.codes.T)
        return DenseEncoding(middle, numbers.mean(axis=0), spread, np.asarray(~known.all(axis=0)), levels)

    def encode(self, table: ClassicalTable) -> NDArray[np.float32]:
        """float32 [n, width]: numbers, missing indicators, one-hot; a level without an indicator is all zeros."""
        known = np.isfinite(table.numbers)
        numbers = (np.where(known, table.numbers, self.middle) - self.mean) / self.spread
        parts: list[NDArray[Any]] = [numbers, ~known[:, self.has_missing]]
        parts += [column[:, None] == kept for column, kept in zip(table.codes.T, self.levels, strict=True)]
        return np.concatenate([part.astype(np.float32) for part in parts], axis=1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it, for `Stored`."""
        fitted = {"middle": self.middle, "mean": self.mean, "spread": self.spread, "has_missing": self.has_missing}
        return {**fitted, **joined("levels", self.levels, np.zeros(0, np.int32))}

    @staticmethod
    def from_arrays(arrays: Arrays) -> DenseEncoding:
        """The encoding that `arrays` told."""
        return DenseEncoding(
            arrays["middle"], arrays["mean"], arrays["spread"], arrays["has_missing"], tuple(parted("levels", arrays))
        )


def _common_levels(column: NDArray[np.int32], most: int) -> NDArray[np.int32]:
    levels, counts = np.unique(column[column >= 0], return_counts=True)
    return np.sort(levels[np.argsort(-counts, kind="stable")[:most]])
