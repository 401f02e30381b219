"""Which rows are work, which are sealed, which belong together?"""

from __future__ import annotations

import numpy as np
import polars as pl

from liebig.core.arrays import Reals, Rows
from liebig.core.task import TaskKind

#: Classes with fewer rows than this stay in work whole: no part could hold them beside the others.
RARE_CLASS = 5

_LARGEST_DUPLICATE = 0.02  # of the rows; a commoner row is a coincidence of coarse columns, not a copy


def row_hashes(frame: pl.DataFrame) -> pl.Series:
    """One UInt64 for each row of cells; equal rows have equal ones."""
    return frame.hash_rows(seed=0)


def repeated_rows(hashes: pl.Series) -> int:
    """Rows that stand again further up."""
    return len(hashes) - hashes.n_unique()


def duplicate_groups(hashes: pl.Series) -> Rows | None:
    """Exact duplicates as groups, int64 [rows]; None when there are none.

    None too where duplicates say nothing: in a table of few coarse columns most rows stand again, by coincidence.
    """
    _, groups, counts = np.unique(hashes.to_numpy(), return_inverse=True, return_counts=True)
    if len(counts) == len(groups) or len(counts) < 0.5 * len(groups):
        return None
    if counts.max() > max(20, _LARGEST_DUPLICATE * len(groups)):
        return None
    return groups.astype(np.int64).reshape(-1)


def joined(groups: Rows, others: Rows) -> Rows:
    """Groups such that rows that agree in either belong together (connected components), int64 [rows]."""
    label = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    other = np.unique(others, return_inverse=True)[1]
    while True:
        lowest = np.full(int(other.max()) + 1, np.iinfo(np.int64).max)
        np.minimum.at(lowest, other, label)
        lower = lowest[other]
        of_label = np.full(int(label.max()) + 1, np.iinfo(np.int64).max)
        np.minimum.at(of_label, label, lower)
        new = of_label[label]
        if np.array_equal(new, label):
            return np.unique(label, return_inverse=True)[1].astype(np.int64)
        label = new


def sealed_rows(target: Reals, kind: TaskKind, groups: Rows | None, share: float, seed: int) -> Rows:
    """A share of the rows to seal, int64, rising: in each class alike, groups whole. Rare classes are left out."""
    generator = np.random.default_rng([seed, 0x5EA1])
    rows = len(target)
    strata = target.astype(np.int64) if kind.is_classification else np.zeros(rows, np.int64)
    members = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1].reshape(-1)
    count = int(members.max()) + 1
    sizes = np.bincount(members, minlength=count)
    first = np.full(count, -1)
    first[members[::-1]] = np.arange(rows)[::-1]
    of_group = strata[first]
    taken = np.zeros(count, bool)
    for stratum in np.unique(of_group):
        own = generator.permutation(np.flatnonzero(of_group == stratum))
        if kind.is_classification and (strata == stratum).sum() < RARE_CLASS:
            continue
        wanted = share * sizes[own].sum()
        before = np.cumsum(sizes[own]) - sizes[own]
        # a group is taken when more than half of it is still wanted
        taken[own[before + sizes[own] / 2 <= wanted]] = True
    return np.flatnonzero(taken[members]).astype(np.int64)


def latest_rows(time: Reals, share: float) -> Rows:
    """The latest share of the rows, rows of one moment together, int64, rising."""
    ordered = np.sort(time)
    cut = ordered[min(len(ordered) - 1, int(np.ceil((1.0 - share) * len(ordered))))]
    late = time >= cut
    if late.all():
        late = time > cut
    return np.flatnonzero(late).astype(np.int64)
