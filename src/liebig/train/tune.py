"""Which compute settings are fastest for this network and this batch: a short A/B of real training steps.

Every setting trains a network of its own on the task's own rows, all take turns, and nothing of it is kept: the numbers that
torch, numpy and Python draw afterwards are those that they would have drawn. What costs no accuracy (the device, the layout of
pictures in memory) is simply taken where it is faster. A lower precision is offered, and trials say whether the score stays.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from liebig.core.recipe import Recipe
from liebig.core.task import FULL, Block, Task
from liebig.data.module.feed import ModuleFeed
from liebig.data.module.users import Users
from liebig.hardware.device import usable_device
from liebig.hardware.memory import is_out_of_memory
from liebig.hardware.reading import usable_cores
from liebig.nets.surgery import seeded
from liebig.nets.user_module import UserModule
from liebig.stack.draws import Draws
from liebig.techniques.compute.auto import Compute
from liebig.train.encoding import Encoder, Encoding
from liebig.train.loop import Population, Watching
from liebig.train.options import TrainOptions
from liebig.train.plan import batching_of, plans
from liebig.train.stacked import apply_gradients, gradients_of
from liebig.train.training import machine_for

#: What another setting must gain over the present one to be taken, where numbers stay but for rounding; and a lower precision.
FASTER: Final = 1.1
FASTER_IN_LESS: Final = 1.25
#: Seconds of all timings together where nothing is said, and of one turn of one setting.
SECONDS: Final = 3.0
#: Of a study's budget they take this share, at least and at most so many seconds.
SHARE: Final = 0.015
LEAST_SECONDS, MOST_SECONDS = 1.0, 20.0
_TURN: Final = 0.08
_MOST_TURNS: Final = 8
#: Steps before a setting is timed: kernels are chosen, and steps recorded, in the first of them. Long ones need fewer.
_WARMING: Final = 6
_LONG: Final = 0.4
#: A setting that is so many times slower than the best of the others takes no further turn, or no further step at all.
_HOPELESS: Final = 3.0
_AT_FIRST: Final = 10.0
_BATCHES: Final = 64
_WORKERS: Final = (1, 2, 4)
_RATE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Timing:
    """One setting: median seconds of a training step, of a batch of `rows` rows. `seconds` is NaN where it does not run, and
    `why` then says why not."""

    name: str
    compute: Compute
    rows: int
    seconds: float
    why: str = ""

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was measured, the present setting first. `same` are the fastest settings that leave the numbers as they are but for
    rounding, `less` the fastest in a lower precision where that is worth its rounding (None where it is not)."""

    timings: tuple[Timing, ...]
    same: Timing
    less: Timing | None

    @property
    def times(self) -> float:
        """How many times as fast as the present setting `same` is."""
        return self.timings[0].seconds / self.same.seconds

    @property
    def times_in_less(self) -> float:
        """How many times as fast as `same` is `less`; 1 where there is none."""
        return self.same.seconds / self.less.seconds if self.less is not None else 1.0


def tuned(
    task: Task[Any], recipe: Recipe, block: Block, encoding: Encoding, *, seconds: float = SECONDS
) -> Tuned:  # fmt: skip
    """The fastest settings for one network of `recipe` on the rows of `block`: its device first, then who reads its rows, then
    precision and layout there. Each of the three takes at most a half, a third and a half of `seconds`."""
    present = _compute(recipe)
    with seeded(0):
        first = timings(task, recipe, block, encoding, devices_of(present), seconds / 2)
        best = _fastest(first, FASTER)
        readers = _beside(best, first[0], workers_of(task, best.compute))
        read: Sequence[Timing] = ()
        if readers:
            read = timings(task, recipe, block, encoding, [(best.name, best.compute), *readers], seconds / 3)
            best = _fastest(read, FASTER)
        variants = [each for each in variants_of(task, recipe, best.compute) if each[1] != best.compute]
        further = _beside(best, first[0], variants)
        found = (
            timings(task, recipe, block, encoding, [(best.name, best.compute), *further], seconds / 2)
            if further
            else ()
        )
    everything = (*first, *read[1:], *found[1:])
    same = [each for each in everything if each.compute.precision == present.precision]
    fastest = _fastest(same, FASTER)
    lower = [each for each in everything if each.compute.precision != present.precision and math.isfinite(each.seconds)]
    less = min(lower, key=lambda each: each.seconds, default=None)
    if less is not None and less.seconds * FASTER_IN_LESS > fastest.seconds:
        less = None
    return Tuned(everything, fastest, less)


def _beside(best: Timing, present: Timing, some: Sequence[tuple[str, Compute]]) -> list[tuple[str, Compute]]:
    """Settings that are tried on top of `best`, with its name before theirs where it is not the present one."""
    return [(name if best.compute == present.compute else f"{best.name}, {name}", compute) for name, compute in some]


def fastest_device(
    task: Task[Any], recipe: Recipe, block: Block, encoding: Encoding, *, seconds: float = 1.0, members: int = 3
) -> str:  # fmt: skip
    """The device on which a step of so many networks of `recipe` takes the least time, by its name; "cpu" without a measurement
    where there is no other. Small networks on few rows gain nothing from a graphics processor."""
    choices = devices_of(_compute(recipe))
    if len(choices) == 1:
        return usable_device(_compute(recipe).device).device.type
    with seeded(0):
        best = _fastest(timings(task, recipe, block, encoding, choices, seconds, members), FASTER)
    return usable_device(best.compute.device).device.type


def _compute(recipe: Recipe) -> Compute:
    assert isinstance(recipe.compute, Compute)
    return recipe.compute


def _fastest(some: Sequence[Timing], gain: float) -> Timing:
    """The fastest, where it is so many times as fast as the first; else the first."""
    running = [each for each in some if math.isfinite(each.seconds)]
    best = min(running, key=lambda each: each.seconds, default=some[0])
    return best if best.seconds * gain <= some[0].seconds or not math.isfinite(some[0].seconds) else some[0]


# --- what may be tried --------------------------------------------------------------------------------------------------


def devices_of(present: Compute) -> list[tuple[str, Compute]]:
    """The present device, and the others that work here, with their names."""
    own = usable_device(present.device).device
    names = ["cpu"]
    names += ["cuda"] if torch.cuda.is_available() else []
    names += ["mps"] if torch.backends.mps.is_available() else []
    found = [(f"as it is, on {own.type}", present)]
    for name in names:
        if name != own.type and not usable_device(name).instead:
            found.append((f"on {name}", present.model_copy(update={"device": name})))
    return found


def variants_of(task: Task[Any], recipe: Recipe, base: Compute) -> list[tuple[str, Compute]]:
    """Layouts and precisions that apply to a user's own network on the device of `base`. Populations of the engine's own
    networks choose their precision for each size when they begin."""
    if not isinstance(recipe.network, UserModule) or not isinstance(task.data, Users):
        return []
    device = usable_device(base.device).device.type
    layouts = ["plain", "channels-last"] if _reads_pictures(task.data) else ["plain"]
    precisions = ["float32", "bfloat16"] if device in {"cpu", "cuda"} and _is_float32(task.data) else [base.precision]
    found = []
    for precision in precisions:
        for layout in layouts:
            words = [word for word in (layout, precision) if word not in {"plain", "float32"}]
            found.append(
                (" and ".join(words) or "as it is", base.model_copy(update={"precision": precision, "layout": layout}))
            )
    return found


def workers_of(task: Task[Any], base: Compute) -> list[tuple[str, Compute]]:
    """Numbers of workers that may read a user's rows ahead; none where all rows are in memory."""
    if not isinstance(task.data, Users) or task.data.whole:
        return []
    counts = [count for count in _WORKERS if count <= usable_cores() and count != base.workers]
    return [
        (f"{count} worker{'s' if count > 1 else ''}", base.model_copy(update={"workers": count})) for count in counts
    ]


def _reads_pictures(users: Users) -> bool:
    pictures = any(isinstance(each, Tensor) and each.dim() == 4 for each in tree_leaves(users.example))
    return pictures and any(isinstance(each, nn.Conv2d) for each in users.build().modules())


def _is_float32(users: Users) -> bool:
    return {each.dtype for each in users.build().parameters()} <= {torch.float32}


# --- timing ---------------------------------------------------------------------------------------------------------------


def timings(
    task: Task[Any], recipe: Recipe, block: Block, encoding: Encoding, settings: Sequence[tuple[str, Compute]],
    seconds: float = SECONDS, members: int = 1,
) -> tuple[Timing, ...]:  # fmt: skip
    """Steps of `members` networks of `recipe` under each of the named settings, in turns until `seconds` are over."""
    trials = [Trial(task, recipe.replace(compute=compute), block, encoding, members) for _, compute in settings]
    until = time.perf_counter() + seconds
    # The processor last: where it is far slower than a graphics processor, one step of it is enough to see that.
    for trial in sorted(trials, key=lambda each: each.on_processor):
        trial.warm(min(each.fastest for each in trials), math.inf if trial is trials[0] else until)
    for _ in range(_MOST_TURNS):
        if time.perf_counter() > until:
            break
        best = min(trial.fastest for trial in trials)
        for trial in trials:
            if trial.fastest <= _HOPELESS * best:
                trial.turn()
    for trial in trials:
        trial.end()
    return tuple(
        Timing(name, compute, trial.rows, trial.seconds, trial.why)
        for (name, compute), trial in zip(settings, trials, strict=True)
    )


class Trial:
    """Networks that take training steps on the same few batches under one setting. `rows` is the size of a batch, `why` a
    sentence where the setting does not run."""

    def __init__(self, task: Task[Any], recipe: Recipe, block: Block, encoding: Encoding, members: int) -> None:
        self.rows, self.why = min(batching_of(recipe).size, max(len(block.fit), 1)), ""
        self._taken: list[float] = []
        self._step = 0
        self._population: Population | None = None
        self.device = usable_device(_compute(recipe).device).device
        self._failing(lambda: self._begin(task, recipe, block, encoding, members))

    @property
    def seconds(self) -> float:
        return median(self._taken) if self._taken and not self.why else math.nan

    @property
    def on_processor(self) -> bool:
        return self.device.type == "cpu"

    @property
    def fastest(self) -> float:
        return min(self._taken) if self._taken and not self.why else math.inf

    def _begin(self, task: Task[Any], recipe: Recipe, block: Block, encoding: Encoding, members: int) -> None:
        def encoder_for(each: Recipe, wants: Any, rows: Any) -> Encoder:
            return encoding.fit_encoder(task, each.inputs, rows, wants)

        plan = plans(task, [recipe], [block], FULL, encoder_for)[0]
        if members > len(plan.members):
            first = plan.members[0]
            plan = plan.taking([replace(first, replica=number, number=number) for number in range(members)])
        machine = machine_for(plan, task, TrainOptions())
        feed = encoding.feed(task, [plan.members[0].course.encoder], machine.device, machine.dtype)
        self._population = Population(task, plan, feed, machine, Watching(lambda event: None, None, False))
        self.device = machine.device
        self._rates = torch.full((len(plan.members),), _RATE, device=machine.device)
        few = list(islice(self._population.endless_rows(), _BATCHES))
        self.rows = few[0].shape[1]
        self._few = [each for each in few if each.shape == few[0].shape]

    def _failing(self, work: Any) -> None:
        """What a setting cannot do is its reason to be left out. The user's own code runs here."""
        if self.why:
            return
        try:
            work()
        except Exception as error:  # noqa: BLE001  # whatever a device or a precision refuses
            told = str(error).strip().splitlines()
            self.why = (
                "it does not fit into memory"
                if is_out_of_memory(error)
                else f"{type(error).__name__}: {told[0] if told else ''}"
            )
            self.end()
            self._population = None

    def warm(self, best: float, until: float) -> None:
        """The steps that are not counted. One that is hopeless beside the `best` seconds of the others is all there is."""
        if time.perf_counter() > until:
            self.why = "the time did not reach to it"
            return

        def warming() -> None:
            began = time.perf_counter()
            for _ in range(_WARMING):
                started = time.perf_counter()
                self._steps(1)
                taken = time.perf_counter() - started
                if taken > max(_AT_FIRST * best, _TURN):
                    self._taken.append(taken)
                    return
                if time.perf_counter() - began > _LONG:
                    break
            self._one_turn(0.0)

        self._failing(warming)

    def turn(self) -> None:
        """Steps for a moment; their mean time is one value."""
        self._failing(lambda: self._one_turn(_TURN))

    def as_it_is(self) -> None:
        """One step that is never replayed: for whoever looks at what it keeps."""
        self._failing(self._plain_step)

    def _plain_step(self) -> None:
        population = self._population
        assert population is not None
        population.stack.lowered()
        batch = population.batch_of(self._few[0])
        gradients_of(population.stack, batch, Draws(population.stack.seeds, self._step, self.device), 1.0, add=False)

    def _one_turn(self, seconds: float) -> None:
        began, done = time.perf_counter(), 0
        while done == 0 or time.perf_counter() - began < seconds:
            self._steps(1, wait=False)
            done += 1
            if done % 8 == 0:
                self._wait()
        self._wait()
        self._taken.append((time.perf_counter() - began) / done)

    def _steps(self, count: int, wait: bool = True) -> None:
        population = self._population
        assert population is not None
        for _ in range(count):
            draws = Draws(population.stack.seeds, self._step, self.device)
            population.steps(population.stack, population.feed, self._next(), draws)
            apply_gradients(population.stack, self._rates, self._step)
            self._step += 1
        if wait:
            self._wait()

    def _next(self) -> Tensor:
        """The rows of the next batch; workers read the others meanwhile."""
        place = self._step % len(self._few)
        assert self._population is not None
        if place == 0 and isinstance(self._population.feed, ModuleFeed):
            self._population.feed.begin(self._few, self._step)
        return self._few[place]

    def end(self) -> None:
        """Its workers end."""
        if self._population is not None and isinstance(self._population.feed, ModuleFeed):
            self._population.feed.end()

    def _wait(self) -> None:
        assert self._population is not None
        float(self._population.stack.flat[0, 0])
