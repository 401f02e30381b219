"""Trains networks and other algorithms on one task, and knows what that takes on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import torch
from threadpoolctl import threadpool_limits

from liebig.classical import Shape, challenger_named
from liebig.coach.grouping import by
from liebig.coach.paces import Paces
from liebig.coach.runner import Request
from liebig.core.arrays import Rows
from liebig.core.event import DeviceReplaced, Event, Listener, Stop, silent
from liebig.core.recipe import Recipe
from liebig.core.task import FULL, Block, Fidelity, Task
from liebig.data.sequences.content import SequenceData
from liebig.hardware.device import default_device
from liebig.hardware.threads import Threads
from liebig.stack.draws import member_seed
from liebig.techniques.compute.auto import Compute
from liebig.train.combination import FittedChallenger
from liebig.train.cost import forget_costs, predicted_seconds
from liebig.train.encoding import Encoding
from liebig.train.options import Precision
from liebig.train.paths import Paths
from liebig.train.plan import replicas, stopping_of
from liebig.train.range_test import range_test
from liebig.train.tables import TABLES
from liebig.train.training import Trained, TrainOptions, train
from liebig.train.tune import fastest_device
from liebig.trials.blocks import Blocks, blocks

#: Networks that are trained together when devices are timed, at most.
_TOGETHER: Final = 6


class Trainer:
    """Trains on a task, whose data `encoding` feeds to networks, in its `blocks`. `clock` is the study's, `memory` the bytes that
    training may add (None: 60 % of what is free). `precision` holds for all runs, so that pairs differ in nothing else (None:
    as each recipe says). With `threads` their number follows what else the machine does, and so do the probes; without, results
    do not depend on that. `paths` is what was measured of how a user's own networks are trained, `training_seconds` what was
    spent training so far, other algorithms too."""

    def __init__(
        self,
        task: Task[Any],
        *,
        seed: int,
        clock: Callable[[], float],
        memory: int | None = None,
        listener: Listener = silent,
        count: int = 20,
        precision: Precision | None = None,
        threads: Threads | None = None,
        encoding: Encoding = TABLES,
    ) -> None:
        self.task, self.seed, self.encoding, self.clock = task, seed, encoding, clock
        self.blocks: Blocks = blocks(task, seed, count)
        self.training_seconds = 0.0
        self.paths = Paths(timed=threads is not None)
        self._memory, self._listener, self._precision, self._threads = memory, listener, precision, threads
        self._reseeded: dict[str, int] = {}
        self._paces = Paces()
        self._device: str | None = None

    # --- networks ---

    def train(
        self, recipes: Sequence[Recipe], some: Sequence[Block], options: TrainOptions, deadline: float | None
    ) -> Sequence[Trained]:
        self.choose_threads()
        self._settle_device(recipes[0], min(len(recipes) * len(some), _TOGETHER))
        until = None if deadline is None else time.monotonic() + max(deadline - self.clock(), 0.0)
        began = time.monotonic()
        trained = train(
            self.task, tuple(recipes), tuple(some), options=options, on_event=self._heard, deadline=until,
            encoding=self.encoding,
        )  # fmt: skip
        spent = time.monotonic() - began
        self.training_seconds += spent
        if all(each.run.outcome.ending.usable for each in trained):
            requests = [Request(recipe, 0, options.fidelity) for recipe in recipes for _ in some]
            self._paces.trained(self._shapes(requests), spent)
        return trained

    def options(self, fidelity: Fidelity, probes: bool) -> TrainOptions:
        return TrainOptions(
            memory=self._memory, fidelity=fidelity, probes=probes, precision=self._precision,
            timed_probes=self._threads is not None, paths=self.paths, device=self._device,
        )  # fmt: skip

    def found_rate(self, recipe: Recipe) -> float:
        """The rate that a range test on fit rows of the first block finds."""
        self.choose_threads()
        began = time.monotonic()
        found = range_test(self.task, recipe, self.blocks[0], options=self.options(FULL, probes=False),
                           encoding=self.encoding)  # fmt: skip
        self.training_seconds += time.monotonic() - began
        return found

    def _settle_device(self, recipe: Recipe, members: int) -> None:
        """Where nothing says which device: the one on which steps of such networks take less time, timed once. The answer holds
        for all runs, so that pairs differ in nothing else; without `threads` nothing is timed."""
        compute, first = recipe.compute, default_device()
        asked = isinstance(compute, Compute) and compute.device == "auto"
        if self._device is not None or self._threads is None or first.type == "cpu" or not asked:
            return
        self._device = fastest_device(
            self.task, recipe, self.blocks[0], self.encoding, members=max(1, members) * replicas(recipe)
        )
        if self._device == "cpu":
            self._listener(
                DeviceReplaced(
                    f"steps of these networks take less time on the processor than on {first}: it trains them"
                )
            )

    def reseed(self, recipe: Recipe, number: int) -> None:
        """From now on `recipe` is trained under seeds of its own: for placebo treatments."""
        self._reseeded[recipe.digest] = number

    @property
    def reseeds(self) -> bool:
        """Whether treatments are seeds themselves."""
        return bool(self._reseeded)

    def seeds_of(self, recipe: Recipe) -> int | None:
        """What names the seeds that `recipe` is trained under; None for those of the blocks."""
        return self._reseeded.get(recipe.digest)

    def _heard(self, event: Event) -> Stop | None:
        """Tell the listener, and follow in the midst of a long training what else the machine does: two threads that were
        right when it began may wait for each other ten times as long once another process runs."""
        self.choose_threads()
        return self._listener(event)

    def choose_threads(self) -> None:
        if self._threads is not None:
            self._threads.choose()

    # --- costs ---

    def predicted_seconds(self, requests: Sequence[Request]) -> float:
        """What training these together will take: from shapes, corrected by what this machine and this task showed."""
        return self._paces.training(self._shapes(requests))

    def shape_seconds(self, requests: Sequence[Request]) -> float:
        """Seconds as predicted from shapes alone, which are good for ratios."""
        return sum(self._shapes(requests).values())

    def _shapes(self, requests: Sequence[Request]) -> dict[str, float]:
        """Seconds predicted from shapes, by what is trained as one population."""
        self.choose_threads()
        if requests:
            self._settle_device(requests[0].recipe, min(len(requests), _TOGETHER))
        found: dict[str, float] = {}
        rows = len(self.blocks[0].fit) + len(self.blocks[0].stop)
        grouped = by(
            requests, lambda each: (each.recipe.population_key, each.fidelity, stopping_of(each.recipe).epochs)
        )
        for (key, fidelity, _), places in grouped.items():
            recipe = requests[places[0]].recipe
            seconds = predicted_seconds(
                self.task, recipe, rows, len(places), fidelity=fidelity, options=self.options(fidelity, probes=True),
                encoding=self.encoding,
            )  # fmt: skip
            found[key] = found.get(key, 0.0) + seconds
        return found

    def measure_again(self) -> None:
        """Forget what is known of networks' costs: the machine was busier than it is."""
        forget_costs()
        self._paces.forget_populations()

    # --- other algorithms ---

    def fit_challenger(self, name: str, rows: Rows, seed: int) -> FittedChallenger:
        """Raises ValueError for what it cannot be fitted on."""
        challenger = challenger_named(name)
        task = self.task
        self.choose_threads()
        began = time.monotonic()
        with threadpool_limits(torch.get_num_threads()):  # its library has threads of its own
            answerer = challenger.fit(
                task.data.classical(rows),
                task.target[rows],
                task.kind,
                len(task.classes),
                seed=seed,
                weights=None if task.weights is None else task.weights[rows],
            )
        expected, spent = challenger.predicted_seconds(self._shape(len(rows))), time.monotonic() - began
        self.training_seconds += spent
        self._paces.fitted(name, expected, spent)
        like = task.data.like if isinstance(task.data, SequenceData) else None
        return FittedChallenger(name, tuple(task.data.inputs), (answerer,), like)

    def predicted_fit(self, name: str, rows: int) -> float:
        """Seconds of one fit to so many rows: from shapes, corrected by what its fits took here."""
        return self._paces.fitting(name, challenger_named(name).predicted_seconds(self._shape(rows)))

    def _shape(self, rows: int) -> Shape:
        data = self.task.data
        return Shape(rows, len(data.numeric_inputs), len(data.categories), self.task.outputs)


def seeded(block: Block, number: int | None) -> Block:
    """The block, or the same rows under other seeds."""
    if number is None:
        return block
    return replace(
        block,
        init_seed=member_seed(block.init_seed, number),
        order_seed=member_seed(block.order_seed, number),
    )
