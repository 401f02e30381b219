"""Memory: predicted, kept under a limit, halved where an allocation fails all the same."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from liebig.core.event import BatchHalved, PopulationHalved, TrainingBegan
from liebig.core.run import Ending
from liebig.core.task import FULL
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.train import memory
from liebig.train.plan import plans
from liebig.train.training import TrainOptions, train


def test_a_population_is_split_to_fit(task, recipe, block, encoding):
    recipe = recipe.with_technique(SeedEnsemble(members=8))
    told = []
    options = TrainOptions(memory=400_000)
    run = train(task, [recipe], [block], encoding=encoding, options=options, on_event=lambda e: told.append(e))[0].run
    whole = train(task, [recipe], [block], encoding=encoding)[0].run
    assert len([event for event in told if isinstance(event, TrainingBegan)]) > 1
    np.testing.assert_allclose(run.predictions, whole.predictions, rtol=1e-4)


def test_a_failed_allocation_halves_the_population(task, recipe, block, encoding):
    recipe, told, failed = recipe.with_technique(SeedEnsemble(members=8)), [], []

    def listen(event):
        told.append(event)
        if isinstance(event, TrainingBegan) and event.members > 2:
            failed.append(event.members)
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes")

    run = train(task, [recipe], [block], encoding=encoding, on_event=listen)[0].run
    assert failed == [8, 4, 4]
    assert [event.members for event in told if isinstance(event, PopulationHalved)] == [8, 4, 4]
    assert run.outcome.ending is Ending.FINISHED


def test_one_network_that_does_not_fit_is_an_outcome(task, recipe, block, encoding):
    def listen(event):
        if isinstance(event, TrainingBegan):
            raise torch.OutOfMemoryError("out of memory")

    run = train(task, [recipe], [block], encoding=encoding, on_event=listen)[0].run
    assert run.outcome.ending is Ending.CRASHED
    assert "memory" in run.outcome.sentence


def test_a_batch_that_does_not_fit_is_passed_in_pieces(task, recipe, block, encoding):
    whole = train(task, [recipe], [block], encoding=encoding)[0].run
    told = []

    def listen(event):
        told.append(event)
        if isinstance(event, TrainingBegan) and sum(isinstance(each, BatchHalved) for each in told) < 2:
            raise torch.OutOfMemoryError("out of memory")

    run = train(task, [recipe], [block], encoding=encoding, on_event=listen)[0].run
    assert [(each.rows, each.pieces) for each in told if isinstance(each, BatchHalved)] == [(32, 2), (32, 4)]
    assert run.outcome.ending is Ending.FINISHED
    assert run.recipe == recipe
    np.testing.assert_allclose(run.predictions, whole.predictions, rtol=1e-3, atol=1e-4)


def test_other_errors_are_not_swallowed(task, recipe, block, encoding):
    def listen(event):
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        train(task, [recipe], [block], encoding=encoding, on_event=listen)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a limit on the address space")
def test_under_a_limit_of_the_address_space():
    script = Path(__file__).with_name("starved.py")
    done = subprocess.run(
        [sys.executable, str(script), "400"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("finished [16"), done.stdout


def test_a_population_holds_no_more_blocks_than_are_kept_encoded(task, recipe, block, encoding, monkeypatch):
    blocks = [replace(block, index=i) for i in range(5)]
    other = recipe.replace(optimizer=recipe.optimizer.model_copy(update={"learning_rate": 0.002}))
    whole = plans(task, [recipe, other], blocks, FULL, lambda recipe, wants, rows: encoding.fit_encoder(
        task, recipe.inputs, rows, wants))  # fmt: skip
    (plan,) = whole
    assert len({id(member.course) for member in plan.members}) == 5  # two recipes share a block's batches
    one_block = task.rows * plan.signature.dense * 4
    monkeypatch.setattr(memory, "CACHED_BYTES", 2 * one_block)
    parts = memory.parts_of(plan, task, torch.float32, 100)
    assert [len(part.members) for part in parts] == [4, 4, 2]
    assert [len(part.members) for part in memory.parts_of(plan, task, torch.float32, 3)] == [3, 3, 3, 1]
    assert [member for part in parts for member in part.members] == list(plan.members)
    monkeypatch.setattr(
        memory, "CACHED_BYTES", one_block // 2
    )  # not even one: they are encoded a batch at a time anyway
    assert len(memory.parts_of(plan, task, torch.float32, 100)) == 1
