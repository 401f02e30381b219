"""`machine`: what this machine has, how fast it is, what Liebig switches on here, and which device suits a table of one's own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import torch

from liebig.api.asking import encoding_of, options_of, task_of
from liebig.api.fitting import fitting_recipe, recipe_of
from liebig.api.module import ModuleTask, named_task, names_task
from liebig.api.showing import listener_of
from liebig.core.errors import UserError
from liebig.core.event import Listener, Stage
from liebig.core.recipe import Recipe
from liebig.core.task import Task
from liebig.hardware.advice import Step, steps
from liebig.hardware.choices import Choice, choices
from liebig.hardware.device import default_device, usable_device
from liebig.hardware.facts import Facts
from liebig.hardware.measuring import Rate, measured_rates
from liebig.hardware.reading import read_facts
from liebig.hardware.threads import Threads
from liebig.screen import Screen, bar
from liebig.train.batch_sizes import BatchSizes, batch_sizes
from liebig.train.cost import predicted_seconds, step_cost
from liebig.train.encoding import Encoding
from liebig.train.modules import MODULES
from liebig.train.options import TrainOptions
from liebig.train.plan import batching_of, replicas, steps_per_epoch, stopping_of
from liebig.train.tables import TABLES
from liebig.train.tune import tuned
from liebig.trials.blocks import blocks

_KINDS: Final = {
    "matrix": "matrix products",
    "memory": "memory",
    "convolution": "convolutions, forward and back",
    "transfer": "to the device",
    "decode": "decoding pictures",
    "disk": "disk",
}
#: What another device must save to be worth moving to: less is lost in getting it going.
_WORTH_TIMES: Final = 1.2
_WORTH_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class DeviceSpeed:
    """A recipe on one device: rows trained in a second (by all its `networks` together), and seconds until it is done.
    `setting` are the compute settings of a network of one's own, "" for those that it has."""

    device: str
    rows_per_second: float
    seconds: float
    networks: int
    setting: str = ""


@dataclass(frozen=True, slots=True)
class MachineTold:
    """This machine: what it has, what stands in the way of its graphics processor, measured rates, what is switched on, and
    where a table was given the training rate on every device."""

    facts: Facts
    steps: tuple[Step, ...]
    rates: tuple[Rate, ...]
    choices: tuple[Choice, ...]
    speeds: tuple[DeviceSpeed, ...] = ()
    batches: BatchSizes | None = None

    @property
    def worth(self) -> str:
        """Is the graphics processor worth it for this table? Empty where none was given."""
        return worth_of(self.facts, self.speeds)

    def summary(self) -> str:
        """The page that the command prints."""
        return "\n".join(
            [*_facts_told(self.facts), "", *_steps_told(self), *_rates_told(self.rates), *_rest_told(self)]
        )

    def as_json(self) -> dict[str, Any]:
        facts = asdict(self.facts)
        facts["system"] = self.facts.system.value
        return {
            "facts": facts,
            "uses_graphics_processor": self.facts.build.sees_card,
            "steps": [asdict(step) for step in self.steps],
            "rates": [asdict(rate) for rate in self.rates],
            "switched_on": [asdict(choice) for choice in self.choices],
            "training": [asdict(speed) for speed in self.speeds],
            "batches": asdict(self.batches) if self.batches is not None else None,
            "worth": self.worth,
        }

    def __str__(self) -> str:
        return self.summary()


def machine(
    table: object | None = None,
    target: str | None = None,
    *,
    recipe: str | Recipe = "starting",
    task: str | None = None,
    metric: str | None = None,
    columns: Mapping[str, str] | None = None,
    seed: int = 0,
    on_event: Listener | None = None,
) -> MachineTold:
    """What this machine has and how fast it is, in about ten seconds.

    With a `table` (a path or any dataframe) and its `target` also how fast `recipe` ("starting", "textbook", a file or a
    Recipe) trains on every device there is: steps of its very shapes are timed, the rest is counted. In the place of a table a
    task that `module` made, or its name as ``my_project.py:task``: its own network is timed on its own rows, under every setting
    that applies, and in larger batches. Raises UserError for a table that cannot be read, or a target without one.
    """
    if table is None and target is not None:
        raise UserError("a target is a column of a table, however no table came; give --table FILE")
    listener, began = listener_of(on_event, Screen), time.monotonic()

    def tell(what: str) -> None:
        listener(Stage(what, time.monotonic() - began))

    speeds: tuple[DeviceSpeed, ...] = ()
    batches: BatchSizes | None = None
    if names_task(table):
        table = named_task(str(table))
    if isinstance(table, ModuleTask):
        if target is not None:
            raise UserError(
                "a target belongs to a table; what a network of your own needs is said in liebig.module(...)"
            )
        tell("training steps of this network")
        speeds, batches = module_speeds(table)
    elif table is not None:
        options = options_of(
            target=target, task=task, metric=metric, columns=columns, weights=None, group=None, time=None, test=None,
            seed=seed,
        )  # fmt: skip
        found = task_of(table, options)
        name = recipe if isinstance(recipe, str) else "the recipe"
        chosen = fitting_recipe(recipe_of(recipe, found), found, name)
        tell("training steps of this table")
        rows = len(blocks(found.task, seed)[0].fit)
        speeds = device_speeds(found.task, chosen, rows, encoding_of(found))
    tell("what is built in")
    facts = read_facts()
    rates = measured_rates(default_device(), tell)
    tell("what is faster here")
    return MachineTold(facts, steps(facts), rates, choices(facts, rates=rates), speeds, batches)


def device_speeds(task: Task[Any], recipe: Recipe, rows: int, encoding: Encoding = TABLES) -> tuple[DeviceSpeed, ...]:
    """The rate and the time to finish of `recipe` over `rows` rows, on the processor and on every kind of device that works."""
    names = [
        "cpu",
        *(["cuda"] if torch.cuda.is_available() else []),
        *(["mps"] if torch.backends.mps.is_available() else []),
    ]
    networks, found = replicas(recipe), []
    for name in names:
        if usable_device(name).instead:
            continue
        options = TrainOptions(device=name)
        with Threads() as threads:
            threads.choose()
            step = step_cost(task, recipe, rows, options, encoding).seconds(networks)
            seconds = predicted_seconds(task, recipe, rows, 1, options=options, encoding=encoding)
        batching = batching_of(recipe)
        read = min(batching.size, rows) * batching.accumulates
        found.append(DeviceSpeed(name, read / step, seconds, networks))
    return tuple(found)


def module_speeds(found: ModuleTask) -> tuple[tuple[DeviceSpeed, ...], BatchSizes | None]:
    """A network of the user's own on its own rows: each setting's rate and time to finish, its own on the processor first; and
    larger batches under the settings that are fastest without another precision."""
    block = blocks(found.task, found.task.seed)[0]
    recipe = found.baseline
    with Threads() as threads:
        threads.choose()
        settings = tuned(found.task, recipe, block, MODULES)
        steps_planned = steps_per_epoch(recipe, len(block.fit)) * stopping_of(recipe).epochs
        speeds = [
            DeviceSpeed(
                str(usable_device(each.compute.device).device),
                each.rows_per_second,
                steps_planned * each.seconds,
                1,
                each.name,
            )
            for each in settings.timings
            if not each.why
        ]
        sizes = batch_sizes(found.task, recipe.replace(compute=settings.same.compute), block, MODULES)
    return tuple(sorted(speeds, key=lambda each: each.device != "cpu")), sizes


def worth_of(facts: Facts, speeds: tuple[DeviceSpeed, ...]) -> str:
    """One sentence: when is the graphics processor worth it for this table?"""
    if not speeds:
        return ""
    of_processor = [each for each in speeds if each.device == "cpu"] or [speeds[0]]
    processor = min(of_processor, key=lambda each: each.seconds)
    others = [each for each in speeds if each.device not in {"cpu", processor.device}]
    if not others:
        why = "no graphics processor is there" if not facts.has_card else "the graphics processor cannot be used yet"
        return f"Training takes {_time(processor.seconds)} on the processor; {why} to compare with."
    other = min(others, key=lambda each: each.seconds)
    times, saved = processor.seconds / other.seconds, processor.seconds - other.seconds
    told = f"{_time(other.seconds)} on {other.device} against {_time(processor.seconds)} on the processor"
    if times >= _WORTH_TIMES and saved >= _WORTH_SECONDS:
        return f"The graphics processor is worth it: {told}, {times:.1f} times as fast."
    if times >= _WORTH_TIMES:
        return f"The graphics processor is {times:.1f} times as fast ({told}), which saves too little to matter in one training."
    return f"The graphics processor is not worth it here: {told}. Wider networks and larger batches gain more."


def _facts_told(facts: Facts) -> Iterator[str]:
    cores = f"{facts.usable_cores} of {facts.cores} cores"
    memory = f"{facts.memory_bytes / 1024**3:.1f} GiB"
    if facts.memory_limit is not None and facts.memory_limit < facts.memory_bytes:
        memory = f"{facts.memory_limit / 1024**3:.1f} of {memory} (the container's limit)"
    where = f"{facts.system.value} (Colab)" if facts.colab else facts.system.value
    yield f"machine     {where}, {facts.processor}, {cores}, {memory} of memory"
    if facts.cards:
        for card in facts.cards:
            size = f", {card.memory_bytes / 1024**3:.0f} GiB" if card.memory_bytes else ""
            yield f"graphics    {card.name}, compute capability {card.shown_capability}{size}"
        yield f"driver      {facts.driver or 'not told'}"
    else:
        yield "graphics    " + ("an NVIDIA card whose driver does not answer" if facts.card_on_bus else "none")
    build = facts.build
    made = (
        f"built with CUDA {build.cuda}"
        if build.cuda
        else "built for AMD's cards"
        if build.rocm
        else "built without CUDA"
    )
    cudnn = f", cuDNN {build.cudnn}" if build.cudnn else ""
    built_for = f", for {' '.join(build.architectures)}" if build.architectures else ""
    yield f"torch       {build.version}, {made}{cudnn}{built_for}"
    toolkit = facts.toolkit
    if toolkit.compiler:
        yield f"toolkit     nvcc {toolkit.version or ''} at {toolkit.compiler} (only for compiling kernels of one's own)"


def _steps_told(told: MachineTold) -> Iterator[str]:
    needed = [step for step in told.steps if step.needed]
    if told.facts.build.sees_card and not needed:
        yield "This torch can use the graphics processor."
    elif told.facts.has_card:
        yield "This torch cannot use the graphics processor yet. What to do, in this order:"
    for number, step in enumerate(told.steps, start=1):
        yield f"  {number}. {step.wrong}{'' if step.needed else ' (not needed for training)'}"
        yield f"     {step.do[0].upper()}{step.do[1:]}."
        if step.command:
            yield f"     $ {step.command}"


def _rates_told(rates: tuple[Rate, ...]) -> Iterator[str]:
    yield from ("", "Measured now (medians):")
    most: dict[tuple[str, str], float] = {}
    for rate in rates:
        key = rate.kind, rate.device
        most[key] = max(most.get(key, 0.0), rate.value or 0.0)
    several = len({rate.device for rate in rates if rate.kind == "matrix"}) > 1
    before = ""
    for rate in rates:
        title = _KINDS[rate.kind] + (
            f" on {rate.device}" if several and rate.kind in {"matrix", "memory", "convolution"} else ""
        )
        if title != before:
            yield f"  {title}"
            before = title
        if rate.value is None:
            yield f"    {rate.name:<24} {rate.note}"
            continue
        note = f"   {rate.note}" if rate.note else ""
        yield f"    {rate.name:<24} {bar(rate.value / most[rate.kind, rate.device])} {_number(rate.value):>8} {rate.unit}{note}"


def _rest_told(told: MachineTold) -> Iterator[str]:
    yield from ("", "Switched on here:")
    for choice in told.choices:
        yield f"  {choice.name:<12} {choice.chosen:<13} {choice.why}"
    if told.speeds:
        yield from ("", f"Training on this {'network' if told.speeds[0].setting else 'table'}:")
        most = max(speed.rows_per_second for speed in told.speeds)
        for speed in told.speeds:
            shown = bar(speed.rows_per_second / most)
            many = f" ({speed.networks} networks together)" if speed.networks > 1 else ""
            if speed.setting:
                many = f"   {speed.setting}"
            yield f"  {speed.device:<12} {shown} {_number(speed.rows_per_second):>8} rows/s, {_time(speed.seconds)} to finish{many}"
        yield told.worth
    if told.batches is not None:
        yield told.batches.sentence()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.2g} s" if seconds < 9.95 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
