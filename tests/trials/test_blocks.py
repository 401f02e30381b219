from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liebig.core.errors import UserError
from liebig.core.metric import ACCURACY, RMSE
from liebig.core.task import FULL, Fidelity, Parts, Task, TaskKind
from liebig.trials.blocks import FOLDS, blocks, reduced, seal_block


def task(rows=300, seed=0, shares=(0.6, 0.3, 0.1), **changes):
    rng = np.random.default_rng(seed)
    target = rng.choice(len(shares), rows, p=shares).astype(float)
    sealed = np.sort(rng.choice(rows, rows // 5, replace=False))
    work = np.setdiff1d(np.arange(rows), sealed)
    plain = Task(
        "t", TaskKind.MULTICLASS, "y", target, tuple("abcdef"[: len(shares)]), ACCURACY, Parts(work, sealed), None
    )
    return replace(plain, **changes)


def assert_partition(of, block, whole=True):
    together = np.concatenate([block.fit, block.stop, block.select])
    assert len(np.unique(together)) == len(together)
    assert set(together) <= set(of.parts.work)
    if whole:
        assert len(together) == len(of.parts.work)


@settings(max_examples=25, deadline=None)
@given(st.integers(60, 400), st.integers(0, 1000), st.integers(0, 19))
def test_a_block_is_a_stratified_partition_of_work(rows, seed, index):
    of = task(rows, seed)
    block = blocks(of, seed)[index]
    assert_partition(of, block)
    counts = np.bincount(of.target[of.parts.work].astype(int), minlength=3)
    for code, count in enumerate(counts):
        if count >= 5:
            assert abs((of.target[block.select] == code).sum() - count / FOLDS) < 1
            assert (of.target[block.fit] == code).any()
    train = len(block.fit) + len(block.stop)
    assert abs(len(block.stop) - 0.12 * train) <= 2


def test_five_blocks_judge_every_row_once_and_repeats_are_new_partitions():
    of = task()
    every = blocks(of, 3)
    judged = np.concatenate([every[b].select for b in range(5)])
    assert sorted(judged) == sorted(of.parts.work)
    assert not np.array_equal(np.sort(every[0].select), np.sort(every[5].select))
    assert len({every[b].init_seed for b in range(20)}) == 20
    assert len({every[b].order_seed for b in range(20)} | {every[b].init_seed for b in range(20)}) == 40


def test_blocks_depend_on_the_seed_alone():
    of = task()
    first, again, other = blocks(of, 7)[4], blocks(of, 7)[4], blocks(of, 8)[4]
    assert np.array_equal(first.fit, again.fit)
    assert first.init_seed == again.init_seed
    assert not np.array_equal(first.select, other.select)
    assert len(blocks(of, 7)) == 20
    with pytest.raises(IndexError, match=r"0\.\.19"):
        blocks(of, 7)[20]


def test_folds_come_in_random_order():
    of = task(100, 1)
    order = [
        [int(np.searchsorted(of.parts.work, blocks(of, seed)[b].select[0])) for b in range(5)] for seed in range(6)
    ]
    assert len({tuple(np.argsort(each)) for each in order}) > 1


def test_rare_classes_are_only_trained_on():
    of = task(400, 2)
    target = of.target.copy()
    target[of.parts.work[:4]] = 3.0
    of = replace(of, target=target, classes=tuple("abcd"))
    for index in range(10):
        block = blocks(of, 0)[index]
        assert (of.target[block.fit] == 3).sum() == 4
        assert_partition(of, block)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 500), st.integers(6, 80))
def test_groups_stay_in_one_part(seed, groups):
    of = task(300, seed)
    rng = np.random.default_rng(seed)
    of = replace(of, groups=rng.integers(0, groups, of.rows))
    if len(np.unique(of.groups[of.parts.work])) < 5:
        return
    for index in (0, 4, 7):
        block = blocks(of, seed)[index]
        assert_partition(of, block)
        parts = [set(of.groups[rows]) for rows in (block.fit, block.stop, block.select)]
        assert not (parts[0] & parts[1])
        assert not (parts[0] & parts[2])
        assert not (parts[1] & parts[2])
        assert len(block.select)


def test_groups_of_many_sizes_still_make_folds_of_about_one_size():
    of = task(2000, 3)
    rng = np.random.default_rng(3)
    of = replace(of, groups=np.sort(rng.zipf(1.6, of.rows) % 400))
    sizes = [len(blocks(of, 0)[b].select) for b in range(5)]
    heaviest = np.bincount(of.groups[of.parts.work]).max()
    assert max(sizes) - min(sizes) <= heaviest


def test_the_future_never_predicts_the_past():
    of = task(1000, 4)
    of = replace(of, time=np.random.default_rng(4).integers(0, 300, of.rows).astype(float))
    every = blocks(of, 5)
    assert len(every) == 12
    selects = []
    for block in every:
        assert_partition(of, block, whole=False)
        assert of.time[block.fit].max() < of.time[block.stop].min()
        assert of.time[block.stop].max() < of.time[block.select].min()
        selects.append(of.time[block.select].min())
    assert len(set(selects)) == 12
    assert selects != sorted(selects)


def test_rolling_origins_keep_groups_apart():
    of = task(600, 5)
    rng = np.random.default_rng(5)
    of = replace(of, time=rng.random(of.rows), groups=rng.integers(0, 100, of.rows))
    for block in blocks(of, 5):
        assert not set(of.groups[block.select]) & set(of.groups[np.concatenate([block.fit, block.stop])])


def test_time_of_one_moment_is_refused():
    of = task(600, 5)
    with pytest.raises(UserError, match="too few different values"):
        blocks(replace(of, time=np.zeros(of.rows)), 5)[0]


def test_the_users_select_set_is_kept():
    of = task(300, 6)
    select = of.parts.work[10:60]
    of = replace(of, parts=replace(of.parts, fixed_select=select))
    one, other = blocks(of, 1)[0], blocks(of, 1)[1]
    assert_partition(of, one)
    assert np.array_equal(one.select, np.sort(select))
    assert np.array_equal(other.select, np.sort(select))
    assert one.init_seed != other.init_seed
    assert not np.array_equal(one.stop, other.stop)


def test_numbers_are_stratified_by_quantile():
    rng = np.random.default_rng(7)
    target = rng.lognormal(0, 2, 500)
    of = Task("t", TaskKind.REGRESSION, "y", target, (), RMSE, Parts(np.arange(400), np.arange(400, 500)), None)
    edges = np.quantile(target[:400], np.linspace(0, 1, 11)[1:-1])
    counts = np.bincount(np.searchsorted(edges, target[blocks(of, 0)[2].select], side="right"))
    assert counts.min() >= 7
    assert counts.max() <= 9


def test_too_few_rows_or_groups_are_refused_in_a_sentence():
    of = task(11, 0)
    with pytest.raises(UserError, match="at least 10 rows"):
        blocks(of, 0)
    of = task(100, 0)
    with pytest.raises(UserError, match="at least 5 groups"):
        blocks(replace(of, groups=np.arange(100) % 4), 0)


def test_reduced_blocks_keep_their_select_part_and_their_strata():
    of = task(2000, 8)
    block = blocks(of, 0)[0]
    small = reduced(of, block, Fidelity(0.25))
    assert reduced(of, block, FULL) is block
    assert np.array_equal(small.select, block.select)
    assert abs(len(small.fit) - len(block.fit) / 4) <= 2
    assert set(small.fit) <= set(block.fit)
    shares = [np.bincount(of.target[rows].astype(int)) / len(rows) for rows in (block.fit, small.fit)]
    assert shares[0] == pytest.approx(shares[1], abs=0.01)
    assert np.array_equal(small.fit, reduced(of, block, Fidelity(0.25)).fit)


def test_the_seals_block_trains_on_all_work():
    of = task(200, 9)
    block = seal_block(of, 0)
    assert np.array_equal(block.fit, of.parts.work)
    assert np.array_equal(block.select, of.parts.sealed)
    assert len(block.stop) == 0
