"""Loaders with a sampler of their own: the baseline trains on the rows that the sampler draws, and only on those it may."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    TensorDataset,
    WeightedRandomSampler,
)

import liebig
from liebig.core.errors import UserError
from liebig.data.module.drawing import sampled
from liebig.techniques.batching.in_order import InOrder
from liebig.techniques.batching.own_order import OwnOrder
from liebig.techniques.stage import UsersOwn

X = torch.arange(100.0)[:, None]
Y = (torch.arange(100) % 10 == 0).long()
ROWS = TensorDataset(X, Y)
VALID = (X + 0.5, Y)


def _network() -> nn.Module:
    return nn.Linear(1, 2)


def _task(loader: object, **given: object) -> liebig.ModuleTask:
    return liebig.module(_network, **{"train": loader, "valid": VALID, "test": VALID, "epochs": 2, **given})


def _epoch(task: liebig.ModuleTask, rows: np.ndarray, epoch: int = 0, seed: int = 0) -> list[int]:
    """What one epoch trains on."""
    batching, own = task.baseline.batching, UsersOwn(order=task.users.order)
    target = torch.from_numpy(task.task.target[rows])
    drawn = batching.epoch_rows(torch.from_numpy(rows), target, torch.Generator().manual_seed(seed), epoch, own)
    return drawn.tolist()


class _Backwards(Sampler[int]):
    """The rows of `rows`, the last first; after each epoch one place on."""

    def __init__(self, rows: range) -> None:
        self.rows, self.shift = list(rows), 0

    def set_epoch(self, epoch: int) -> None:
        self.shift = epoch

    def __iter__(self):
        return iter(np.roll(self.rows[::-1], self.shift).tolist())

    def __len__(self) -> int:
        return len(self.rows)


def test_weighted_rows_are_drawn_by_their_weight() -> None:
    weights = 1.0 / torch.bincount(Y)[Y]
    task = _task(DataLoader(ROWS, batch_size=10, sampler=WeightedRandomSampler(weights, 400)))
    assert task.baseline.batching == OwnOrder(size=10, name="WeightedRandomSampler", share=4.0)
    assert (
        task.notes[0] == "rows are trained on as your WeightedRandomSampler draws them, without those that are held out"
    )
    drawn = _epoch(task, np.arange(100))
    assert len(drawn) == 400
    assert 0.4 < Y[drawn].float().mean() < 0.6
    half = _epoch(task, np.arange(50))
    assert len(half) == 200
    assert set(half) <= set(range(50))


def test_draws_are_the_blocks_and_the_users_sampler_stays_as_it_is() -> None:
    generator = torch.Generator().manual_seed(7)
    sampler = WeightedRandomSampler(torch.ones(100), 100, generator=generator)
    task = _task(DataLoader(ROWS, batch_size=10, sampler=sampler))
    before, everywhere = generator.get_state(), torch.get_rng_state()
    assert _epoch(task, np.arange(100), 0, 3) == _epoch(task, np.arange(100), 0, 3)
    assert _epoch(task, np.arange(100), 0, 3) != _epoch(task, np.arange(100), 0, 4)
    assert torch.equal(generator.get_state(), before)
    assert torch.equal(torch.get_rng_state(), everywhere)


def test_an_order_of_its_own_is_kept_with_its_epochs() -> None:
    task = _task(DataLoader(ROWS, batch_size=10, sampler=_Backwards(range(100))))
    assert _epoch(task, np.arange(100)) == list(range(99, -1, -1))
    assert _epoch(task, np.arange(100), epoch=2)[:3] == [1, 0, 99]


def test_rows_that_a_sampler_leaves_out_are_no_rows_of_the_set() -> None:
    train = DataLoader(ROWS, batch_size=10, sampler=_Backwards(range(20, 100)))
    valid = DataLoader(ROWS, batch_size=10, sampler=_Backwards(range(20)))
    task = _task(train, valid=valid, test=None)
    assert task.lengths == (80, 20, 0)
    inputs, _ = task.users.items.batch(torch.arange(100))
    assert inputs[0].flatten().tolist() == [*range(20, 100), *range(20)]
    assert _epoch(task, np.arange(80))[:2] == [79, 78]
    assert not any("is read once" in note for note in task.notes)


def test_a_batch_sampler_keeps_its_order_and_the_size_of_its_batches() -> None:
    class Pairs(Sampler[list[int]]):
        def __iter__(self):
            return ([i, i + 50] for i in range(50))

        def __len__(self) -> int:
            return 50

    task = _task(DataLoader(ROWS, batch_sampler=Pairs()))
    assert task.baseline.batching == OwnOrder(size=2, name="Pairs", batches=True)
    assert _epoch(task, np.arange(100))[:4] == [0, 50, 1, 51]
    plain = _task(DataLoader(ROWS, batch_sampler=BatchSampler(SequentialSampler(ROWS), 5, drop_last=False)))
    assert plain.baseline.batching == InOrder(size=5)


def test_repeated_draws_and_a_last_batch_left_out() -> None:
    sampler = RandomSampler(ROWS, replacement=True, num_samples=95)
    task = _task(DataLoader(ROWS, batch_size=10, sampler=sampler, drop_last=True))
    drawn = _epoch(task, np.arange(100))
    assert len(drawn) == 90
    assert len(set(drawn)) < 90


def test_a_set_that_is_only_judged_is_read_once() -> None:
    loader = DataLoader(ROWS, batch_size=10, sampler=WeightedRandomSampler(torch.ones(100), 300))
    task = _task((X, Y), valid=loader)
    assert task.lengths == (100, 100, 100)
    assert "each row of valid is read once, whatever its sampler (WeightedRandomSampler) draws" in task.notes


def test_an_iterable_set_keeps_its_order() -> None:
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(zip(X, Y, strict=True))

    assert _task(Stream()).baseline.batching == InOrder(size=32)


class _Failing(Sampler[int]):
    def __iter__(self):
        raise KeyError("no weights")


class _Endless(_Backwards):
    def __iter__(self):
        while True:
            yield 0


@pytest.mark.parametrize(
    ("sampler", "told"),
    [
        (_Failing(), r"sampler of train \(_Failing\) failed to draw rows \(KeyError: 'no weights'\)"),
        (_Backwards(range(0)), "must draw rows, however it draws none"),
        (_Backwards(range(200)), r"must draw rows from 0..99, however it draws rows from 0 to 199"),
    ],
)
def test_a_sampler_that_does_not_fit_is_told(sampler: Sampler[int], told: str) -> None:
    with pytest.raises(UserError, match=told):
        _task(DataLoader(ROWS, batch_size=10, sampler=sampler))


def test_a_sampler_that_never_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liebig.data.module.drawing._MOST", 1_000)
    with pytest.raises(UserError, match="must come to an end, however it draws more than 1,000 times an epoch"):
        sampled(_Endless(range(3)), False, 100, "train")


def test_valid_is_needed_and_a_table_has_no_sampler(tmp_path) -> None:
    loader = DataLoader(ROWS, batch_size=10, sampler=_Backwards(range(100)))
    with pytest.raises(UserError, match=r"has a sampler of its own.*give valid="):
        liebig.module(_network, train=loader)


def test_a_study_trains_and_its_script_takes_the_sampler(tmp_path) -> None:
    weights = 1.0 / torch.bincount(Y)[Y]
    sampler = WeightedRandomSampler(weights, 150)
    task = _task(DataLoader(ROWS, batch_size=16, sampler=sampler), test=None, loss=nn.CrossEntropyLoss())
    study = liebig.improve(task, trials=1, study=tmp_path / "study")
    assert study.best.predict(X[:3]).shape == (3,)
    script = (study.path / "train.py").read_text()
    if "own-order" in study.ledger.recipes[study.ledger.sealed.handed_over].recipe.batching.kind:
        assert "*, sampler, device" in script
