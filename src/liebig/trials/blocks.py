"""Blocks: one split, one initialisation and one data order each, lazily indexed and deterministic in the seed.

Four ways to split the work part, chosen by the task: repeated stratified 5-fold partitions, the folds in random order (the
usual case); the same over groups; rolling origins, where the task has a time; the user's own select set. See TRIALS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, overload

import numpy as np

from liebig.core.arrays import Reals, Rows
from liebig.core.errors import UserError
from liebig.core.task import Block, Fidelity, Task

FOLDS: Final = 5
#: Share of a block's training rows on which whatever is chosen while training is chosen.
STOP_SHARE: Final = 0.12
#: Cut points of rolling origins, and the share of the work rows before the first of them.
ORIGINS: Final = 12
FIRST_ORIGIN: Final = 0.4
#: A class with fewer rows than folds cannot stand in every part: it is only trained on.
RARE: Final = 5
#: Numbers are stratified by so many quantiles.
QUANTILES: Final = 10

# Streams of randomness: what one is used for never changes another.
_FOLD, _STOP, _SEEDS, _ORIGIN, _REDUCE = range(5)


class Blocks(Sequence[Block]):
    """The blocks of a task, made when they are asked for.

    ``len`` is the number of different blocks: 12 cut points with a time, else as many as the longest trial asks for.
    """

    def __init__(self, task: Task[Any], seed: int, count: int) -> None:
        self._task, self._seed, self._count = task, seed, count
        self._make = lru_cache(maxsize=32)(lambda index: _block(task, seed, index))

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Block: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Block]: ...
    def __getitem__(self, index: int | slice) -> Block | Sequence[Block]:
        if isinstance(index, slice):
            return [self._make(each) for each in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(f"a block's index must be in 0..{self._count - 1}, however {index} came")
        return self._make(index)


def blocks(task: Task[Any], seed: int, count: int = 20) -> Blocks:
    """The blocks of `task`, at most `count`; with a time never more than 12.

    Raises UserError when the work part is too small to be split, or has fewer groups than folds.
    """
    work = task.parts.work
    if len(work) < 2 * FOLDS:
        raise UserError(f"blocks need at least {2 * FOLDS} rows besides the sealed part, however {len(work)} came")
    if task.time is not None:
        return Blocks(task, seed, min(count, ORIGINS))
    if task.groups is not None and task.parts.fixed_select is None:
        groups = len(np.unique(task.groups[work]))
        if groups < FOLDS:
            raise UserError(f"folds over groups need at least {FOLDS} groups, however {groups} came")
    return Blocks(task, seed, count)


def seal_block(task: Task[Any], seed: int, *, holding_out: bool = False) -> Block:
    """All work rows to train on, the sealed part to be scored: nothing is left to choose on. `holding_out` keeps a stop part
    for a recipe that cannot run without one (a rate that falls on a plateau)."""
    init, order = _seeds(seed, 1_000_003)
    fit, stop = _before(task, task.parts.work, task.parts.sealed, by_group=False), np.empty(0, np.int64)
    if holding_out:
        fit, stop = _stop_part(task, fit, _rng(seed, _STOP, 1_000_003))
    return Block(-1, fit, stop, task.parts.sealed, init, order)


def reduced(task: Task[Any], block: Block, fidelity: Fidelity) -> Block:
    """`block` with a share of its fit and stop rows: stratified (or whole groups; the latest with a time), the same for
    every recipe. The select part stays whole: pairs are taken on the same examples."""
    if fidelity.rows >= 1.0:
        return block
    fit, stop = (
        _share_of(task, rows, fidelity.rows, _rng(task.seed, _REDUCE, block.init_seed, number))
        for number, rows in enumerate((block.fit, block.stop))
    )
    return replace(block, fit=fit, stop=stop)


# --- one block ---------------------------------------------------------------------------------------------


def _rng(*key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([each & 0xFFFFFFFF for each in key]))


def _seeds(seed: int, index: int) -> tuple[int, int]:
    first, second = np.random.SeedSequence([seed & 0xFFFFFFFF, _SEEDS, index]).generate_state(2)
    return int(first), int(second)


def _block(task: Task[Any], seed: int, index: int) -> Block:
    if task.parts.fixed_select is not None:
        train, select = np.setdiff1d(task.parts.work, task.parts.fixed_select), np.sort(task.parts.fixed_select)
        train = _before(task, train, select)
    elif task.time is not None:
        train, select = _origin(task, seed, index)
    else:
        train, select = _fold(task, seed, index)
    fit, stop = _stop_part(task, train, _rng(seed, _STOP, index))
    if task.reach > 0 and not len(fit):
        raise UserError(
            f"too few moments lie before those that are judged: with {task.reach:g} between them nothing is left to learn from"
        )
    init, order = _seeds(seed, index)
    return Block(index, fit, stop, select, init, order)


def _fold(task: Task[Any], seed: int, index: int) -> tuple[Rows, Rows]:
    repeat, position = divmod(index, FOLDS)
    rng = _rng(seed, _FOLD, repeat)
    fold = int(rng.permutation(FOLDS)[position])
    work = np.sort(task.parts.work)
    units = _units(task, work)
    of_unit = _spread(units, rng)
    of_unit[units.only_fit] = -1
    of_row = of_unit[units.of_row]
    return work[of_row != fold], work[of_row == fold]


def _origin(task: Task[Any], seed: int, index: int) -> tuple[Rows, Rows]:
    """Everything before a cut point, and the slice after it. Rows of the same moment stay together."""
    assert task.time is not None
    work = task.parts.work[np.argsort(task.time[task.parts.work], kind="stable")]
    moments = task.time[work]
    place = int(_rng(seed, _ORIGIN).permutation(ORIGINS)[index])
    ends = [FIRST_ORIGIN + (1 - FIRST_ORIGIN) * (place + step) / ORIGINS for step in (0, 1)]
    first, last = (int(np.searchsorted(moments, moments[min(int(e * len(work)), len(work) - 1)])) for e in ends)
    if place == ORIGINS - 1:
        last = len(work)
    if first == 0 or last == first:
        raise UserError(
            f"rolling origins need {ORIGINS} cut points with rows between them, however the time of the rows has too few "
            f"different values ({len(np.unique(moments))})"
        )
    select = np.sort(work[first:last])
    return _before(task, np.sort(work[:first]), select), select


def _before(task: Task[Any], train: Rows, select: Rows, by_group: bool = True) -> Rows:
    """`train` without rows that share a group with the select part, and those within the reach of its first moment."""
    if task.time is not None and task.reach > 0 and len(select):
        train = train[task.time[train] + task.reach <= task.time[select].min()]
    if task.groups is None or not by_group:
        return train
    return train[~np.isin(task.groups[train], task.groups[select])]


def _stop_part(task: Task[Any], train: Rows, rng: np.random.Generator) -> tuple[Rows, Rows]:
    chosen = _share_of(task, train, STOP_SHARE, rng, keep_rare=True)
    fit = np.setdiff1d(train, chosen, assume_unique=True)
    if task.reach > 0:
        fit = _before(task, fit, chosen, by_group=False)
    return fit, chosen


# --- units: single rows, or groups ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """What is dealt out whole. `of_row` [n] is each row's unit, `size` [units] its rows, `stratum` [units] what it is
    balanced by, `only_fit` [units] is True where it holds a class that is too rare to be judged."""

    of_row: Rows
    size: Rows
    stratum: Rows
    only_fit: np.ndarray[Any, np.dtype[np.bool_]]


def _units(task: Task[Any], rows: Rows) -> _Units:
    target = task.target[rows]
    codes = target.astype(np.int64) if task.kind.is_classification else _quantiles(target)
    if task.kind.is_classification:
        work_counts = np.bincount(task.target[task.parts.work].astype(np.int64), minlength=int(codes.max()) + 1)
        rare = work_counts[codes] < RARE
    else:
        rare = np.zeros(len(rows), dtype=bool)
    if task.groups is None:
        return _Units(np.arange(len(rows)), np.ones(len(rows), np.int64), codes, rare)
    _, of_row, size = np.unique(task.groups[rows], return_inverse=True, return_counts=True)
    # A group is balanced by its rarest row's class: common classes balance themselves.
    order = np.argsort(-np.bincount(codes)[codes], kind="stable")
    stratum = np.empty(len(size), np.int64)
    stratum[of_row[order]] = codes[order]
    only_fit = np.bincount(of_row, rare, minlength=len(size)) > 0
    return _Units(of_row, size.astype(np.int64), stratum, only_fit)


def _quantiles(target: Reals) -> Rows:
    edges = np.quantile(target, np.linspace(0, 1, QUANTILES + 1)[1:-1])
    return np.searchsorted(edges, target, side="right").astype(np.int64)


def _spread(units: _Units, rng: np.random.Generator) -> Rows:
    """A fold for each unit: strata and sizes balanced, else random. A stratum of five or more units is in every fold."""
    fold = np.empty(len(units.size), np.int64)
    single = np.flatnonzero(units.size == 1)
    order = single[np.lexsort((rng.random(len(single)), units.stratum[single]))]
    fold[order] = (np.arange(len(order)) + rng.integers(FOLDS)) % FOLDS
    several = np.flatnonzero(units.size > 1)
    order = several[np.lexsort((rng.random(len(several)), -units.size[several], units.stratum[several]))]
    load = np.zeros(FOLDS)
    for start in range(0, len(order), FOLDS):
        # Five groups of about one size: the largest goes to the fold that has least, so that sizes even out.
        five = order[start : start + FOLDS]
        five = five[np.argsort(-units.size[five], kind="stable")]
        places = np.lexsort((rng.random(FOLDS), load))[: len(five)]
        fold[five] = places
        load[places] += units.size[five]
    return fold


def _share_of(task: Task[Any], rows: Rows, share: float, rng: np.random.Generator, keep_rare: bool = False) -> Rows:
    """About `share` of `rows`, sorted: the latest with a time, else every so many-th unit in the order of the strata.

    Without `keep_rare` rare classes are taken whole: they are needed to train; with it they are left.
    """
    if len(rows) == 0:
        return rows
    if task.time is not None:
        moments = np.sort(task.time[rows])
        late: Rows = rows[task.time[rows] >= moments[min(round((1 - share) * len(rows)), len(rows) - 1)]]
        if len(late) == len(rows):
            return rows[:0] if keep_rare else rows
        return late
    units = _units(task, rows)
    order = np.lexsort((rng.random(len(units.size)), units.size, units.stratum))
    order = order[~units.only_fit[order]]
    counter = np.floor((np.arange(len(order) + 1)) * share + rng.random())
    taken = np.zeros(len(units.size), dtype=bool) if keep_rare else units.only_fit.copy()
    taken[order[np.diff(counter) > 0]] = True
    part: Rows = rows[taken[units.of_row]]
    return part
