"""What training will cost, from shapes: single steps of the very shapes are timed once on random numbers, the rest is counted.

Source: measured; a step of K members costs an affine function of K (launches once, arithmetic K times).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch

from liebig.core.recipe import Recipe
from liebig.core.task import FULL, Block, Fidelity, Task
from liebig.data.module.feed import ModuleEncoder
from liebig.data.module.feed import feed as module_feed
from liebig.data.sequences.feed import SequenceEncoder
from liebig.data.sequences.feed import feed as sequence_feed
from liebig.data.unlabelled import unlabelled_rows
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.specs import Signature
from liebig.techniques.stage import Pretraining
from liebig.train.encoding import Encoder, Encoding
from liebig.train.ground import ground_of
from liebig.train.options import TrainOptions
from liebig.train.plan import Course, Member, Plan, batching_of, chooses, epochs_of, network_of, replicas, stopping_of
from liebig.train.recorded import Steps
from liebig.train.stacked import Machine, apply_gradients, stacked
from liebig.train.tables import TABLES
from liebig.train.training import machine_for

_SAMPLE_ROWS: Final = 1000  # enough to know what enters the network
_FEW, _MORE = 1, 6  # members that are timed
_SECONDS: Final = 0.008  # for one timing: a study times a hundred of them
_LEAST_STEPS: Final = 3
_LEAST_RECORDED: Final = 8  # steps, where they are recorded after some
_MANY: Final = 1_000_000  # steps, as of a training that is worth recording
_LONG: Final = 0.06  # a timing that takes so long has the steps that it has, from two on
#: A forward pass in evaluation mode beside a training step of as many rows.
_EVALUATION: Final = 0.35
#: Share of the planned epochs that a recipe which may stop early takes, where nothing is known yet.
_STOPS_AT: Final = 0.6
_STOP_SHARE: Final = 0.15
_TRAIN_SAMPLE: Final = 2048
_FEWER: Final = 512
_SELECTED: Final = 0.25  # rows that are only scored, beside those that are trained on


@dataclass(frozen=True, slots=True)
class StepCost:
    """Seconds of one training step of K members: `base` + K * `each`."""

    base: float
    each: float

    def seconds(self, members: int) -> float:
        return self.base + members * self.each


_known: dict[tuple[object, ...], StepCost] = {}
_signatures: dict[tuple[object, ...], tuple[Task[Any], Encoder]] = {}


def forget_costs() -> None:
    """Time every shape anew when it is asked for next."""
    _known.clear()


def _encoder(task: Task[Any], recipe: Recipe, encoding: Encoding) -> Encoder:
    key = (id(task), recipe.inputs.model_dump_json(), network_of(recipe).wants)
    if key not in _signatures:
        rows = task.parts.work[:_SAMPLE_ROWS]
        # The task is kept beside it, so that its identity stays taken.
        _signatures[key] = task, encoding.fit_encoder(task, recipe.inputs, rows, network_of(recipe).wants)
    return _signatures[key][1]


def step_cost(
    task: Task[Any], recipe: Recipe, rows: int, options: TrainOptions, encoding: Encoding = TABLES
) -> StepCost:
    """Cost of a step of such recipes on this machine; timed at the first call for each shape."""
    encoder = _encoder(task, recipe, encoding)
    batch = min(batching_of(recipe).size, rows)
    key = (recipe.population_key, encoder.signature, batch, task.outputs, options.device, options.precision)
    if key not in _known:
        if isinstance(encoder, ModuleEncoder) or not network_of(recipe).stacks:
            _known[key] = StepCost(0.0, _timed(task, recipe, encoder, batch, _FEW, options))
            return _known[key]
        few, more = (_timed(task, recipe, encoder, batch, count, options) for count in (_FEW, _MORE))
        each = max((more - few) / (_MORE - _FEW), few * 0.02)
        _known[key] = StepCost(max(few - each, 0.0), each)
    return _known[key]


def _timed(task: Task[Any], recipe: Recipe, encoder: Encoder, rows: int, count: int, options: TrainOptions) -> float:
    """Seconds of one step of `count` members on random numbers: the shortest of a few, since whatever else the machine does
    only adds to them (how much it adds is measured while training)."""
    none = np.zeros(0, dtype=np.int64)
    own = np.arange(rows, dtype=np.int64)
    course = Course(Block(0, own, none, none, 0, 0), own, none, none, encoder)
    members = tuple(Member(recipe, course, 0, replica, replica) for replica in range(count))
    plan = Plan(members, encoder.signature, 1, 100)
    machine = machine_for(plan, task, options)
    ground = ground_of(plan, task, machine.device)
    group = torch.zeros(count, dtype=torch.int64, device=machine.device)
    make = _batches(task, encoder, rows, machine, group)
    stack = stacked(plan, ground, machine, group, make())
    rates, taken, step = torch.full((count,), 1e-5, device=machine.device), [], 0
    steps, own_rows = Steps(machine.device, _MANY), torch.zeros(1, rows, dtype=torch.int64, device=machine.device)
    feed = _Same(encoder.signature, make)
    least = _LEAST_RECORDED if steps.records else 2
    start = time.perf_counter()
    while step < least or time.perf_counter() - start < (_SECONDS if step > _LEAST_STEPS else _LONG):
        began = time.perf_counter()
        for _ in range(batching_of(recipe).accumulates):
            steps(stack, feed, own_rows, Draws(stack.seeds, step, machine.device))
        apply_gradients(stack, rates, step)
        float(stack.flat[0, 0])  # wait for the device
        taken.append(time.perf_counter() - began)
        step += 1
    return min(taken[1:])


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A feed that gives the same batch, whatever is asked for."""

    signature: Signature
    make: Callable[[], Batch]

    def batch(self, rows: torch.Tensor) -> Batch:
        return self.make()

    def judging(self, rows: torch.Tensor) -> Batch:
        return self.make()

    def keeping(self, groups: Sequence[int]) -> _Same:
        return self


def _batches(
    task: Task[Any], encoder: Encoder, rows: int, machine: Machine, group: torch.Tensor
) -> Callable[[], Batch]:
    """Batches of a shape: random numbers for a table, real rows for sequences, which differ in length, and for a user's own
    network, which may take time to read."""
    if isinstance(encoder, ModuleEncoder):
        feed = module_feed(task, [encoder], machine.device)
        own = torch.from_numpy(task.parts.work[:rows])[None].to(machine.device)
        return lambda: replace(feed.batch(own), member_group=group)
    if isinstance(encoder, SequenceEncoder):
        # How long the sequences are decides what a step costs.
        drawn = np.random.default_rng(task.seed).choice(task.parts.work, rows, replace=rows > len(task.parts.work))
        seen = sequence_feed(task, [encoder], machine.device, machine.dtype).batch(
            torch.from_numpy(drawn)[None].to(machine.device)
        )
        whole = replace(seen, member_group=group)
        return lambda: whole
    made = _random_batch(encoder.signature, rows, task.outputs, machine, group)
    return lambda: made


def _random_batch(signature: Signature, rows: int, outputs: int, machine: Machine, group: torch.Tensor) -> Batch:
    device, dtype = machine.device, machine.dtype
    # A picture's channels lie last in memory, as a feed of pictures makes them.
    channels, *sides = signature.picture or (signature.dense,)
    dense = torch.randn(1, rows, *sides, channels, device=device).to(dtype)
    return Batch(
        dense=dense.movedim(-1, 2) if sides else dense,
        target=torch.randint(0, max(outputs, 2), (1, rows), device=device).float(),
        numbers=torch.randn(1, rows, signature.numbers, device=device).to(dtype) if signature.numbers else None,
        codes=torch.zeros(1, rows, len(signature.levels), dtype=torch.int64, device=device),
        member_group=group,
    )


def predicted_seconds(
    task: Task[Any], recipe: Recipe, rows: int, members: int, *,
    epochs: float | None = None, fidelity: Fidelity = FULL, options: TrainOptions = TrainOptions(),  # noqa: B008  # frozen
    encoding: Encoding = TABLES,
) -> float:  # fmt: skip
    """Seconds to train `members` runs of such a recipe together, each on `rows` fit rows at full fidelity.

    `epochs` are those expected, in full ones (None: all of them, or 0.6 of the cap for a recipe that may stop early).
    """
    own = max(2, round(rows * min(fidelity.rows, 1.0)))
    cost = step_cost(task, recipe, own, options, encoding)
    batching = batching_of(recipe)
    drawn = batching.drawn(own)
    batch = min(batching.size, drawn)
    steps = -(-drawn // (batch * batching.accumulates))
    if epochs is None:
        epochs = epochs_of(recipe, fidelity) * (_STOPS_AT if stopping_of(recipe).may_end_early else 1.0)
    count = members * replicas(recipe)
    most = _TRAIN_SAMPLE if network_of(recipe).stacks else _FEWER
    sampled = min(most, own) if options.probes else 0
    evaluated = _STOP_SHARE * rows + sampled if chooses(recipe) or options.probes else 0.0
    evaluation = _EVALUATION * evaluated / batch * (count * cost.each)
    # What is handed over may be answered from several views: once, for the rows that are only scored and those sampled.
    further = (network_of(recipe).views - 1) * (_SELECTED * rows + sampled)
    last = _EVALUATION * further / batch * (count * cost.each)
    before = _pretrained(task, recipe, own) / batch * (count * cost.each)
    return before + epochs * (steps * cost.seconds(count) + evaluation) + last


def _pretrained(task: Task[Any], recipe: Recipe, rows: int) -> int:
    """Examples that pretraining sees before the first step, of so many training rows."""
    every = rows + unlabelled_rows(task)
    return sum(each.epochs * every for each in recipe.techniques if isinstance(each, Pretraining))
