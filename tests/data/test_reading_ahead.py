"""Rows that are read ahead are the rows, in their order; what is drawn at random does not depend on who reads."""

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from liebig.core.errors import UserError
from liebig.data.module.ahead import Ahead
from liebig.data.module.task import module_task
from liebig.train.modules import MODULES
from liebig.train.options import TrainOptions
from liebig.train.training import train
from liebig.train.tune import workers_of
from liebig.trials.blocks import blocks

CPU = torch.device("cpu")


class Shaken(Dataset):
    """Rows with noise of their own: nothing that could be kept in memory once."""

    def __init__(self, rows=60, broken=-1):
        self.inputs = torch.randn(rows, 4, generator=torch.Generator().manual_seed(0))
        self.broken = broken

    def __len__(self):
        return len(self.inputs)

    def __getitem__(self, row):
        if row == self.broken:
            raise ValueError("this row is not there")
        noise = 0.01 * (torch.rand(4) + random.random() + float(np.random.rand()))
        return self.inputs[row] + noise, int(self.inputs[row, 0] > 0)


def found_of(dataset=None):
    return module_task(
        lambda: nn.Linear(4, 2), train=dataset or Shaken(), loss=nn.CrossEntropyLoss(), metric="accuracy", batch_size=8,
        epochs=2,
    )  # fmt: skip


def read(items, workers, rows, seed=5):
    ahead = Ahead(items, workers, CPU)
    ahead.begin(rows, seed)
    found = [ahead.take(each) for each in rows]
    ahead.end()
    return found


def test_the_rows_come_in_order_whoever_reads_them():
    items = found_of().users.items
    rows = [torch.tensor([3, 1, 2]), torch.tensor([0, 5, 4]), torch.tensor([9, 8])]
    one, two = read(items, 1, rows), read(items, 2, rows)
    for (leaves, target), (others, same), wanted in zip(one, two, rows, strict=True):
        assert torch.equal(leaves[0], others[0])
        assert torch.equal(target, same)
        clean = items.parts[0].dataset.inputs[wanted]
        assert torch.allclose(leaves[0], clean, atol=0.04)
        assert not torch.equal(leaves[0], clean)
    assert not torch.equal(read(items, 1, rows, seed=6)[0][0][0], one[0][0][0])


def test_other_rows_than_those_announced_are_not_its_own():
    ahead = Ahead(found_of().users.items, 1, CPU)
    assert ahead.take(torch.tensor([1])) is None
    ahead.begin([torch.tensor([1, 2])], 0)
    assert ahead.take(torch.tensor([2, 1])) is None
    assert ahead.take(torch.tensor([1, 2])) is not None
    assert ahead.take(torch.tensor([1, 2])) is None
    ahead.end()


def test_a_row_that_cannot_be_read_is_told_as_without_workers():
    found = found_of()
    found.users.items.parts[0].dataset.broken = 7
    with pytest.raises(UserError, match=r"failed to give a row \(ValueError: this row is not there\)"):
        read(found.users.items, 1, [torch.tensor([7, 8])])


def test_rows_in_memory_need_no_workers():
    inputs = torch.randn(40, 4)
    found = module_task(
        lambda: nn.Linear(4, 2),
        train=(inputs, (inputs[:, 0] > 0).long()),
        loss=nn.CrossEntropyLoss(),
        metric="accuracy",
    )
    assert not Ahead(found.users.items, 2, CPU).is_of_use
    assert workers_of(found.task, found.baseline.compute) == []


def test_a_training_does_not_depend_on_how_many_read():
    found = found_of()
    block = blocks(found.task, 0, 3)[0]
    names = [name for name, _ in workers_of(found.task, found.baseline.compute)]
    assert names[0] == "1 worker"
    weights = []
    for workers in (1, 2):
        recipe = found.baseline.replace(compute=found.baseline.compute.model_copy(update={"workers": workers}))
        options = TrainOptions(probes=False, keep_models=True)
        (done,) = train(found.task, [recipe], [block], options=options, encoding=MODULES)
        weights.append(done.model.weights[0])
    assert torch.equal(weights[0], weights[1])
