"""Which way populations of a user's own network are trained: all members in one call, or one after another.

Both are timed on a few steps of the real population before it begins, and compared: the one call is taken where it gives the
same gradients and is faster. Small dense networks gain much, convolutions lose.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from liebig.core.study import PopulationPath, PopulationPaths
from liebig.core.task import Task
from liebig.data.module.users import Users
from liebig.hardware.memory import is_out_of_memory
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.train.at_once import KEEPS, reason_of
from liebig.train.encoding import Feed
from liebig.train.loop import Population, Watching
from liebig.train.memory import member_bytes
from liebig.train.plan import Plan, batching_of
from liebig.train.stacked import Machine, apply_gradients, gradients_of
from liebig.train.user_network import UserForward

#: A training of fewer steps is not worth timing.
_LEAST_STEPS: Final = 50
#: Turns that are timed, at least and at most; between them as long as they take no longer than this, in seconds.
_LEAST_PAIRS, _MOST_PAIRS = 2, 6
_SECONDS: Final = 0.4
#: Steps that count in one turn of one way (twice as many of a single member's), and steps timed beside those of the training.
_RUN: Final = 2
_SHARE: Final = 0.03
#: One call is taken when it needs at most this share of the time of all members' own.
_FASTER: Final = 0.95
#: How far gradients (and buffers) of both ways may differ, beside the largest of them.
_TOLERANCE: Final = 1e-3
#: What backward keeps of one member is needed so many times over: its gradient, and what is made on the way.
_ALIVE: Final = 2.5
_RATE: Final = 1e-6

_Key = tuple[object, ...]


class Paths:
    """What was found of a study's populations, measured once for each network, number of members and shape of a batch.

    Without `timed` nothing is measured, since results may not depend on what else the machine does, and members are trained
    one after another.
    """

    def __init__(self, timed: bool = True) -> None:
        self._timed = timed
        self._known: dict[_Key, PopulationPath] = {}
        self._refused: dict[_Key, str] = {}
        self._networks: dict[_Key, int] = {}

    @property
    def found(self) -> PopulationPaths:
        """What was found so far."""
        return PopulationPaths(
            tuple(
                PopulationPath(path.members, self._networks[key], path.at_once, path.seconds_at_once,
                               path.seconds_alone, path.reason)
                for key, path in self._known.items()
            )
        )  # fmt: skip

    def members(self, task: Task[Users], plan: Plan, feed: Feed, machine: Machine, limit: int) -> int:
        """How many members of `plan` are to be trained in one call; 1 where one after another is better. `limit` is how many
        bytes training may add."""
        count = len(plan.members)
        if count < 2:
            return 1
        key = _key(plan, machine)
        if key not in self._known and self._timed and plan.epochs * plan.steps_per_epoch < _LEAST_STEPS:
            key = (*key, "short")
            self._known[key] = _alone(count, "trainings of so few steps are over before both ways are timed")
        elif key not in self._known:
            self._known[key] = self._measured(task, plan, feed, machine, limit)
        self._networks[key] = self._networks.get(key, 0) + count
        path = self._known[key]
        return math.ceil(count / math.ceil(count / path.members)) if path.at_once else 1

    def refuse(self, plan: Plan, reason: str) -> None:
        """The network of `plan` failed in one call after all."""
        self._refused[_network_key(plan)] = reason
        for key, path in self._known.items():
            if key[: len(_network_key(plan))] == _network_key(plan):
                self._known[key] = _alone(path.members, reason)

    def _measured(self, task: Task[Users], plan: Plan, feed: Feed, machine: Machine, limit: int) -> PopulationPath:
        if not self._timed:
            return _alone(
                len(plan.members),
                "a study whose trials are counted can be repeated exactly, and so depends on no timing",
            )
        refused = self._refused.get(_network_key(plan)) or _refusal(task.data, plan)
        if refused:
            return _alone(len(plan.members), refused)
        try:
            path = measured(task, plan, feed, machine, limit)
        except Exception as error:  # noqa: BLE001  # the user's own code runs here
            if is_out_of_memory(error):
                return _alone(len(plan.members), "together they do not fit into memory")
            path = _alone(len(plan.members), reason_of(error))
        if math.isnan(path.seconds_alone):
            self._refused[_network_key(plan)] = path.reason
        return path


def _network_key(plan: Plan) -> _Key:
    recipe = plan.recipe
    return recipe.network.model_dump_json(), recipe.objective.kind, tuple(each.kind for each in recipe.techniques)


def _key(plan: Plan, machine: Machine) -> _Key:
    blocks = len({id(member.course) for member in plan.members})
    return *_network_key(plan), len(plan.members), blocks, batching_of(plan.recipe).size, str(machine.device)


def _alone(members: int, reason: str) -> PopulationPath:
    return PopulationPath(members, 0, False, math.nan, math.nan, reason)


def _refusal(users: Users, plan: Plan) -> str:
    """Why it needs no trial to know that members cannot run in one call; empty where they may."""
    if users.step is not None:
        return "your step(network, batch) is called with one network"
    if plan.recipe.optimizer.kind == "users-optimizer":
        return "your own optimizer steps one network"
    if any(member.recipe.network != plan.recipe.network for member in plan.members):
        return "they differ in more than their weights"
    return ""


# --- the measurement ---------------------------------------------------------------------------------------------------


def measured(task: Task[Any], plan: Plan, feed: Feed, machine: Machine, limit: int) -> PopulationPath:
    """Both ways on the same rows: that they agree, and what a step takes. Raises whatever one call raises."""
    rows = _rows_of(plan)
    places = {id(course): i for i, course in enumerate(_courses(plan))}
    ends = [plan.members[0], plan.members[-1]]
    alone = [
        _Steps(task, plan.taking([member]), feed.keeping([places[id(member.course)]]), machine, rows)
        for member in ends
    ]  # fmt: skip
    if any(isinstance(each, nn.RNNBase) for each in alone[0].network.modules()):
        return _alone(len(plan.members), "recurrent layers of torch's keep lists of their own weights")
    before = _kept_on(alone[0].network)
    for each in alone:
        each.step()
    if [id(each) for each in _kept_on(alone[0].network)] != [id(each) for each in before]:
        return _alone(len(plan.members), KEEPS)
    fitting = max(1, int(limit / max(alone[0].bytes_kept() * _ALIVE + member_bytes(plan, task, machine.dtype), 1)))
    if fitting < 2:
        return _alone(len(plan.members), "together they do not fit into memory")
    some = plan.taking(plan.members[:fitting])
    if fitting < len(plan.members):
        feed = feed.keeping(sorted({places[id(member.course)] for member in some.members}))
        alone = alone[:1]
    together = _Steps(task, some, feed, machine, rows)
    together.step()
    for steps, k in zip(alone, (0, -1), strict=False):
        if not _agree(together, steps, k):
            return _alone(len(some.members), "torch.func comes to other gradients than the network itself")
    at_once, single = _timed(together, alone, math.ceil(_SHARE * plan.epochs * plan.steps_per_epoch))
    count = len(some.members)
    return PopulationPath(count, 0, at_once < _FASTER * count * single, at_once, count * single)


def _kept_on(network: nn.Module) -> list[Tensor]:
    """Tensors that modules hold beside parameters and buffers."""
    plain = [
        value
        for module in network.modules()
        for name, value in vars(module).items()
        if name not in {"_parameters", "_buffers", "_modules"}
    ]
    return [each for each in tree_leaves(plain) if isinstance(each, Tensor)]


def _courses(plan: Plan) -> list[Any]:
    return list({id(member.course): member.course for member in plan.members}.values())


def _rows_of(plan: Plan) -> int:
    """Rows of a batch that every block has."""
    batching = batching_of(plan.recipe)
    return min(batching.size, *(batching.drawn(len(course.rows)) for course in _courses(plan)))


@dataclass(frozen=True, slots=True)
class _Taken:
    """What the first step came to."""

    gradients: Tensor
    buffers: tuple[Tensor, ...]


class _Steps:
    """A population that takes the same step again and again."""

    def __init__(self, task: Task[Any], plan: Plan, feed: Feed, machine: Machine, rows: int) -> None:
        self._population = Population(task, plan, feed, machine, Watching(lambda event: None, None, False))
        stacked = [torch.from_numpy(course.rows[:rows]) for course in self._population.courses]
        self._rows = torch.stack(stacked).to(machine.device)
        self._machine, self._number = machine, 0
        self._rates = torch.full((len(plan.members),), _RATE, device=machine.device)
        self.first: _Taken | None = None

    @property
    def network(self) -> nn.Module:
        forward = self._population.stack.forward
        assert isinstance(forward, UserForward)
        return forward.network

    def _losses(self, batch: Batch) -> Tensor:
        stack = self._population.stack
        stack.lowered()
        return gradients_of(stack, batch, Draws(stack.seeds, self._number, self._machine.device), 1.0, add=False)

    def step(self) -> float:
        """Seconds of one step, its batch made."""
        stack = self._population.stack
        began = time.perf_counter()
        self._losses(self._population.batch_of(self._rows))
        if self.first is None:
            self.first = _Taken(stack.gradients.clone(), tuple(each.clone() for each in stack.buffers))
        apply_gradients(stack, self._rates, self._number)
        float(stack.flat[0, 0])  # wait for the device
        self._number += 1
        return time.perf_counter() - began

    def bytes_kept(self) -> int:
        """Bytes that backward keeps of a step of these members."""
        sizes: dict[int, int] = {}

        def pack(value: Tensor) -> Tensor:
            sizes[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
            return value

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
            self._losses(self._population.batch_of(self._rows))
        return sum(sizes.values())


def _agree(together: _Steps, alone: _Steps, k: int) -> bool:
    assert together.first is not None
    assert alone.first is not None
    pairs: Sequence[tuple[Tensor, Tensor]] = [
        (together.first.gradients[k], alone.first.gradients[0]),
        *((a[k], b[0]) for a, b in zip(together.first.buffers, alone.first.buffers, strict=True)),
    ]
    return all(
        float((a.double() - b.double()).abs().max()) <= _TOLERANCE * float(b.double().abs().max()) + 1e-7
        for a, b in pairs
        if a.numel()
    )


def _timed(together: _Steps, alone: Sequence[_Steps], most: int) -> tuple[float, float]:
    """Median seconds of a step of all members in one call, and of one member on its own, in alternation; at most about `most`
    steps of all. Each way goes on for some steps, as it will in training: the first one after the other way finds memory and
    caches as that left them, and does not count."""
    at_once: list[float] = []
    single: list[float] = []
    until = time.perf_counter() + _SECONDS
    for number in range(_MOST_PAIRS):
        together.step()
        at_once += [together.step() for _ in range(_RUN)]
        own = alone[number % len(alone)]
        own.step()
        single += [own.step() for _ in range(2 * _RUN)]
        if number + 1 >= _LEAST_PAIRS and (time.perf_counter() > until or len(at_once) >= most):
            break
    return median(at_once), median(single)
