"""Larger batches: timed, and their memory predicted from two small ones."""

import pytest
import torch
from torch import nn

from liebig.data.module.task import module_task
from liebig.train import tune
from liebig.train.batch_sizes import BatchSize, BatchSizes, batch_sizes
from liebig.train.modules import MODULES
from liebig.trials.blocks import blocks


def found_of(build=lambda: nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(400, 20, generator=generator)
    return module_task(
        build, train=(inputs, (inputs[:, 0] > 0).long()), loss=nn.CrossEntropyLoss(), metric="accuracy", batch_size=8,
        epochs=2,
    )  # fmt: skip


def test_memory_is_predicted_from_two_sizes_and_measured(monkeypatch):
    monkeypatch.setattr(tune, "_TURN", 0.002)
    found = found_of()
    sizes = batch_sizes(found.task, found.baseline, blocks(found.task, 0, 3)[0], MODULES, seconds=5.0)
    assert [each.rows for each in sizes.tried[:3]] == [8, 16, 32]
    assert sizes.tried[0].predicted_bytes == 0
    for each in sizes.tried[2:]:
        assert each.predicted_bytes == pytest.approx(each.measured_bytes, rel=0.05)
    assert all(each.rows_per_second > 0 for each in sizes.tried)
    assert sizes.largest <= 400


def test_it_is_told_in_a_sentence():
    tried = (
        BatchSize(8, 100.0, 0.0, 2.0**20),
        BatchSize(16, 250.0, 0.0, 2.0**21),
        BatchSize(32, 240.0, 2.0**22, 2.0**22),
    )
    told = BatchSizes(tried, 512, 3 << 30).sentence()
    assert "Batches of 8 rows train 100 rows a second; of 16, 2.5 times as many" in told
    assert "32 rows was predicted to take 4.0 MiB and took 4.0 MiB" in told
    assert told.endswith("into 3.0 GiB of memory is 512 rows.")


def test_a_network_that_does_not_run_has_no_sizes():
    class Failing(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.calls = nn.Linear(20, 2), 0

        def forward(self, x):
            if self.training and torch.is_grad_enabled() and x.shape[0] == 8:
                raise RuntimeError("no")
            return self.layer(x)

    found = found_of()
    other = found_of(lambda: nn.Linear(20, 2))
    broken = other.task.data
    object.__setattr__(broken, "build", Failing)
    assert batch_sizes(other.task, other.baseline, blocks(found.task, 0, 3)[0], MODULES, seconds=0.1) is None
