"""Which recipes and blocks are trained as one stack, and on which rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from liebig.core.arrays import Rows
from liebig.core.recipe import Recipe
from liebig.core.task import Block, Fidelity, Task
from liebig.data.module.inputs import ModuleInputs
from liebig.nets.network import NetworkSettings
from liebig.nets.user_module import UserModule
from liebig.stack.draws import member_seed
from liebig.stack.specs import Signature, Wants
from liebig.techniques.batching.in_order import InOrder
from liebig.techniques.batching.own_order import OwnOrder
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.techniques.stage import BatchingSettings, ScheduleSettings, StoppingSettings
from liebig.train.encoding import Encoder
from liebig.train.user_network import UserNetwork

_ORDER, _SHARE = 1, 2  # streams of a block's order seed


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One block as one recipe uses it: `rows` train, `watched` are evaluated after each epoch (the stop part; the select
    part for a recipe that chooses nothing, which then only draws the curve), `select` are scored at the end."""

    block: Block
    rows: Rows
    watched: Rows
    select: Rows
    encoder: Encoder


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One network to be trained. `run` is its place among the results, `replica` its number within an ensemble of seeds,
    `number` its name in events."""

    recipe: Recipe
    course: Course
    run: int
    replica: int
    number: int

    @property
    def seed(self) -> int:
        """Depends on the block and the replica alone: recipes of a block start alike."""
        return member_seed(self.course.block.init_seed, self.replica)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One population: members that agree on everything that is not stackable."""

    members: tuple[Member, ...]
    signature: Signature
    epochs: int
    steps_per_epoch: int

    @property
    def recipe(self) -> Recipe:
        """Speaks for all members in what is not stackable."""
        return self.members[0].recipe

    def taking(self, members: Sequence[Member]) -> Plan:
        return Plan(tuple(members), self.signature, self.epochs, self.steps_per_epoch)


def network_of(recipe: Recipe) -> NetworkSettings:
    """The network as the engine asks for it."""
    if isinstance(recipe.network, UserModule):
        return user_network(recipe)
    assert isinstance(recipe.network, NetworkSettings)
    return recipe.network


def user_network(recipe: Recipe) -> UserNetwork:
    """A user's own network. Where the user's optimizer decays, it decays every parameter."""
    assert isinstance(recipe.network, UserModule)
    everything = (
        recipe.optimizer.kind != "muon" and isinstance(recipe.inputs, ModuleInputs) and recipe.inputs.decays_all
    )
    return UserNetwork(record=recipe.network, decays_everything=everything)


def schedule_of(recipe: Recipe) -> ScheduleSettings:
    assert isinstance(recipe.schedule, ScheduleSettings)
    return recipe.schedule


def stopping_of(recipe: Recipe) -> StoppingSettings:
    assert isinstance(recipe.stopping, StoppingSettings)
    return recipe.stopping


def batching_of(recipe: Recipe) -> BatchingSettings:
    assert isinstance(recipe.batching, BatchingSettings)
    return recipe.batching


def chooses(recipe: Recipe) -> bool:
    """True when something is chosen while training, and so a stop part is held out."""
    return stopping_of(recipe).chooses or schedule_of(recipe).chooses


def replicas(recipe: Recipe) -> int:
    """Networks that are trained for one run."""
    ensemble = recipe.technique(SeedEnsemble)
    return ensemble.members if ensemble else 1


def epochs_of(recipe: Recipe, fidelity: Fidelity) -> int:
    return max(1, round(stopping_of(recipe).epochs * min(fidelity.epochs, 1.0)))


def training_rows(recipe: Recipe, block: Block, fidelity: Fidelity) -> Rows:
    """The rows trained on: fit, or fit and stop for a recipe that chooses nothing; a share of them below full fidelity."""
    rows = block.fit if chooses(recipe) else np.concatenate([block.fit, block.stop])
    if isinstance(recipe.batching, InOrder):
        rows = np.sort(rows)  # the order in which they stand is the user's
    if fidelity.rows >= 1.0:
        return rows
    drawn = np.random.default_rng(member_seed(block.order_seed, _SHARE)).permutation(len(rows))
    return np.asarray(rows[np.sort(drawn[: max(2, round(fidelity.rows * len(rows)))])], dtype=np.int64)


def _whole_batches(rows: Rows, recipe: Recipe, drop_last: bool) -> Rows:
    """`rows` without those of a last batch that the user leaves out, or that would be a single row: statistics of a batch
    need two."""
    size = batching_of(recipe).size
    if isinstance(recipe.batching, OwnOrder):
        return rows  # its epochs are not the rows, each once
    over = len(rows) % size
    if len(rows) > size and ((drop_last and over) or (over == 1 and size > 1)):
        return rows[: len(rows) - over]
    return rows


def order_seed(block: Block, epoch: int) -> int:
    """Seed of one epoch's order: the block's, whoever trains in it."""
    return member_seed(block.order_seed, _ORDER, epoch)


def steps_per_epoch(recipe: Recipe, rows: int) -> int:
    batching = batching_of(recipe)
    drawn = batching.drawn(rows)
    return -(-drawn // (min(batching.size, drawn) * batching.accumulates))


def plans(
    task: Task[Any], recipes: Sequence[Recipe], blocks: Sequence[Block], fidelity: Fidelity,
    encoder_for: Callable[[Recipe, Wants, Rows], Encoder],
) -> tuple[Plan, ...]:  # fmt: skip
    """Recipes x blocks as populations; run i * len(blocks) + j is recipe i in block j."""
    stacks: dict[tuple[str, int, int, bool, Signature], list[Member]] = {}
    encoders: dict[tuple[object, ...], Encoder] = {}
    courses: dict[tuple[object, ...], Course] = {}
    number = 0
    for i, recipe in enumerate(recipes):
        wants = network_of(recipe).wants
        inputs = recipe.inputs.model_dump_json()
        for j, block in enumerate(blocks):
            rows = training_rows(recipe, block, fidelity)
            if isinstance(recipe.inputs, ModuleInputs):
                rows = _whole_batches(rows, recipe, recipe.inputs.drop_last)
            key = (inputs, wants, j, len(rows), chooses(recipe))
            if key not in encoders:
                encoders[key] = encoder_for(recipe, wants, rows)
            # Recipes that see a block alike share its batches: one encoding of its rows, one gather a step.
            alike = (*key, recipe.batching.model_dump_json())
            if alike not in courses:
                watched = block.stop if chooses(recipe) else block.select
                courses[alike] = Course(block, rows, watched, block.select, encoders[key])
            course = courses[alike]
            epochs, steps = epochs_of(recipe, fidelity), steps_per_epoch(recipe, len(rows))
            agree = (recipe.population_key, epochs, steps, chooses(recipe), course.encoder.signature)
            for replica in range(replicas(recipe)):
                stacks.setdefault(agree, []).append(Member(recipe, course, i * len(blocks) + j, replica, number))
                number += 1
    found = []
    for (_, epochs, steps, _, signature), members in stacks.items():
        found.append(Plan(tuple(sorted(members, key=lambda m: m.course.block.index)), signature, epochs, steps))
    return tuple(found)
