"""A task of random numbers, and an encoding that hands them on as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from liebig.core.evidence import InputScales
from liebig.core.metric import ROC_AUC
from liebig.core.recipe import Recipe
from liebig.core.task import Block, Parts, Task, TaskKind
from liebig.data.table.inputs import TableInputs
from liebig.nets.mlp import MLP
from liebig.stack.batch import Batch
from liebig.stack.specs import Signature
from liebig.techniques.batching.shuffled import Shuffled
from liebig.techniques.compute.auto import Compute
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.optimizers.adamw import AdamW
from liebig.techniques.schedules.constant import Constant
from liebig.techniques.stopping.epochs import FixedEpochs

WIDTH = 5
SIGNATURE = Signature(WIDTH)


@dataclass(frozen=True)
class PlainEncoder:
    signature: Signature = SIGNATURE

    def target_to_model(self, target):
        return target.astype(np.float32)

    def target_from_model(self, answers):
        return answers

    def input_scales(self, task, rows):
        return InputScales((), (), (), ())

    def encode_frame(self, frame, device, dtype):
        inputs = torch.from_numpy(frame).to(device, dtype)
        return Batch(inputs[None], torch.zeros(1, len(inputs)))


@dataclass(frozen=True)
class PlainFeed:
    inputs: torch.Tensor
    target: torch.Tensor
    signature: Signature = SIGNATURE

    def batch(self, rows):
        return Batch(self.inputs[rows], self.target[rows])

    def judging(self, rows):
        return self.batch(rows)

    def keeping(self, groups: Sequence[int]):
        return self


class PlainEncoding:
    def fit_encoder(self, task, inputs, rows, wants):
        return PlainEncoder()

    def feed(self, task, encoders, device, dtype):
        return PlainFeed(
            torch.from_numpy(task.data).to(device, dtype), torch.from_numpy(task.target).float().to(device)
        )


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def encoding():
    return PlainEncoding()


@pytest.fixture
def task():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(400, WIDTH)).astype(np.float32)
    target = (inputs[:, 0] + inputs[:, 1] * inputs[:, 2] + 0.3 * rng.normal(size=400) > 0).astype(np.float64)
    return Task(
        "numbers",
        TaskKind.BINARY,
        "y",
        target,
        ("no", "yes"),
        ROC_AUC,
        Parts(np.arange(300), np.arange(300, 400)),
        inputs,
    )


@pytest.fixture
def block():
    return make_block(0)


def make_block(index: int, fit: int = 101) -> Block:
    rows = np.random.default_rng(index).permutation(300)
    return Block(index, rows[:fit], rows[fit : fit + 60], rows[fit + 60 : fit + 120], 100 + index, 200 + index)


@pytest.fixture
def blocks():
    return make_block


@pytest.fixture
def recipe():
    return Recipe(
        inputs=TableInputs(), network=MLP(width=16, activation="relu"), objective=CrossEntropy(),
        optimizer=AdamW(learning_rate=1e-2), schedule=Constant(), batching=Shuffled(size=32),
        stopping=FixedEpochs(epochs=3), compute=Compute(precision="float32"),
    )  # fmt: skip
