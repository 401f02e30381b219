"""A study of recipes whose effects are known: scores are drawn instead of trained, everything else is the real coach.

This is how the procedure is calibrated (``bench/null.py``) and how the policy is tested. An example's utility is the sum of a
draw of its own, of a shift that the whole run shares (the luck of its seeds), of a component that stays with the recipe and
the example over all blocks (real recipes differ so), and of the recipe's effect. Accuracy is whether a latent utility is
above zero: scores then lie on a grid of 1/n.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from liebig.coach.advice import Idea
from liebig.coach.ledger import MemoryLedger
from liebig.coach.loop import improve
from liebig.coach.runner import AnyFinal, Opened, Request, Result, Weighed
from liebig.coach.runner import Final as FinalRun
from liebig.core.arrays import Reals, Rows
from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.run import Ending, Outcome, Score
from liebig.core.settings import STACKABLE, Settings
from liebig.core.study import Began, Diagnosed, Machine, Study
from liebig.core.task import Fidelity, TaskKind

FOLDS: Final = 5
BLOCKS: Final = 20
_FINISHED: Final = Outcome(Ending.FINISHED, 1)
_MACHINE: Final = Machine("simulated", "none", 1, 0.0, "none", "none", 1.0, {})
#: Of the latent utility behind accuracy: examples' mean and spread, the draw of a run.
_EASE, _EASE_SPREAD, _DRAW = 0.8, 1.0, 0.35


class SimulatedSettings(Settings):
    """A slot or a technique of a simulated recipe; a technique's kind is its number. `number` is what a search draws: it has
    no effect."""

    kind: str = "simulated"
    number: Annotated[float, Field(gt=0, le=1e9), STACKABLE] = 1.0


@cache
def simulated_recipe(changes: frozenset[int] = frozenset()) -> Recipe:
    """The baseline with these changes: nothing can be trained with it."""
    slot = SimulatedSettings()
    return Recipe(
        inputs=slot, network=slot, objective=slot, optimizer=slot, schedule=slot, batching=slot, stopping=slot,
        compute=slot, techniques=tuple(SimulatedSettings(kind=str(each)) for each in changes),
    )  # fmt: skip


def changes_of(recipe: Recipe) -> frozenset[int]:
    """The numbers of a simulated recipe's changes."""
    return frozenset(int(each.kind) for each in recipe.techniques)


class Measure(StrEnum):
    """What scores are: means of a continuous utility (a loss), or shares of correct answers."""

    LOSS = "loss"
    ACCURACY = "accuracy"


@dataclass(frozen=True, slots=True)
class World:
    """What is true. `examples` in a select part; `ratio` is s2 / X without a common component; `common` is the variance
    of the difference that two equal recipes have on these work rows, over s2; `effects` are the true effects of
    changes by number, in standard deviations of a block's difference. `uneven` is the spread (of logarithms) between changes of how much
    their runs scatter. `fixed_select`: all blocks judge the same examples."""

    examples: int
    measure: Measure = Measure.LOSS
    ratio: float = 1.5
    common: float = 0.0
    effects: Mapping[int, float] = field(default_factory=dict)
    uneven: float = 0.0
    fixed_select: bool = False

    @property
    def work(self) -> int:
        return self.examples * FOLDS


@cache
def _select_rows(examples: int, fixed: bool) -> tuple[Rows, ...]:
    rng = np.random.default_rng(examples)
    found: list[Rows] = []
    while len(found) < BLOCKS:
        order = rng.permutation(examples * FOLDS)
        parts = [np.sort(part) for part in np.split(order, FOLDS)]
        found += [parts[0]] * FOLDS if fixed and not found else [found[0]] * FOLDS if fixed else parts
    return tuple(found)


class SimulatedRunner:
    """Draws scores. Draws come in the order of the requests, from one seed."""

    def __init__(self, world: World, seed: int) -> None:
        self._world, self._rng = world, np.random.default_rng(seed)
        self._rows = _select_rows(world.examples, world.fixed_select)
        self._stays: dict[frozenset[int], Reals] = {}
        self._scatter: dict[frozenset[int], tuple[float, float]] = {}
        self._ease = _EASE + _EASE_SPREAD * self._rng.standard_normal(world.work)
        n, r, share = world.examples, world.ratio, world.common
        self._shift = math.sqrt((r - 1) / n)
        self._stay = math.sqrt(share * r * FOLDS)
        self._unit = math.sqrt(2 * r / n)  # standard deviation of a block's difference, in draws

    def _staying(self, changes: frozenset[int]) -> Reals | None:
        if not self._stay:
            return None
        if changes not in self._stays:
            self._stays[changes] = self._stay * self._rng.standard_normal(self._world.work)
        return self._stays[changes]

    def _scattering(self, changes: frozenset[int]) -> tuple[float, float]:
        """How much a recipe's runs scatter: by example, and as a whole."""
        if not self._world.uneven:
            return 1.0, self._shift
        if changes not in self._scatter:
            draw, shift = np.exp(self._world.uneven * self._rng.standard_normal(2))
            self._scatter[changes] = float(draw), self._shift * float(draw * shift)
        return self._scatter[changes]

    def score(self, changes: frozenset[int], rows: Rows) -> Score:
        """Draw the score of the recipe with these changes on `rows` in one block."""
        world, rng = self._world, self._rng
        utility = rng.standard_normal(len(rows))
        utility += (
            self._shift * rng.standard_normal() + sum(world.effects.get(each, 0.0) for each in changes) * self._unit
        )
        staying = self._staying(changes)
        if staying is not None:
            utility += staying[rows]
        value = float(utility.mean())
        if world.measure is Measure.LOSS:
            utility -= value
            return Score(value, rows, utility)
        correct = (self._ease[rows] + _DRAW * utility > 0).astype(np.float64)
        accuracy = float(correct.mean())
        correct -= accuracy
        utility -= value
        return Score(accuracy, rows, correct, value, utility)

    def run(self, requests: Sequence[Request], deadline: float | None) -> Sequence[Result]:
        return [
            Result(_FINISHED, self.score(changes_of(each.recipe), self._rows[each.block]), 1, 1.0) for each in requests
        ]

    def predicted_seconds(self, requests: Sequence[Request]) -> float:
        return 0.0

    def challenge(self, name: str, blocks: Sequence[int], fidelity: Fidelity) -> Sequence[Score]:
        return []

    def predicted_challenge_seconds(self, name: str, blocks: int, fidelity: Fidelity) -> float:
        return 0.0

    def predict_ms(self, recipe: Recipe) -> float:
        return 0.0

    def challenger_predict_ms(self, name: str) -> float:
        return 0.0

    def answered(self) -> Mapping[Fidelity, Mapping[str, frozenset[int]]]:
        return {}  # scores are drawn, nothing is answered

    def weights(self, names: Sequence[str], blocks: Sequence[int], fidelity: Fidelity) -> tuple[float, ...]:
        return (1.0, *(0.0 for _ in names[1:]))

    def weigh(self, names: Sequence[str], blocks: Sequence[int], fidelity: Fidelity) -> Weighed | None:
        return None

    def open_seal(
        self, finals: Sequence[AnyFinal], deadline: float | None, spare: float | None = None
    ) -> Sequence[Opened]:
        rows = np.arange(self._world.examples)
        return [
            Opened(self.score(changes_of(each.recipe), rows), 1, each.recipe)
            for each in finals
            if isinstance(each, FinalRun)
        ]

    def predicted_seeds_seconds(self, winner: AnyFinal, seeds: int, most: float) -> float:
        return 0.0

    def predicted_seal_seconds(self, finals: Sequence[AnyFinal]) -> float:
        return 0.0

    def measure_again(self) -> None:
        pass


class SimulatedAdvisor:
    """Always has so many new ideas, all worth the same; nothing ever limits anything."""

    def __init__(self, ideas: int = 4) -> None:
        self._ideas = ideas

    def baseline(self) -> Idea:
        return Idea("baseline", simulated_recipe())

    def starting(self) -> Sequence[Idea]:
        return ()

    def look_at_data(self, at: float) -> tuple[Evidence, Diagnosed]:
        return Evidence(), Diagnosed(at, "data", (), {})

    def diagnose(self, recipe: Recipe, evidence: Sequence[Evidence], at: float) -> Diagnosed:
        return Diagnosed(at, recipe.digest, (), {})

    def ideas(self, study: Study, recipe: Recipe) -> Sequence[Idea]:
        noted, before = len(study.recipes), changes_of(recipe)
        return [
            Idea(f"idea {number}", simulated_recipe(before | {number}), f"placebo {number}", "", 1.0)
            for number in range(noted, noted + self._ideas)
        ]

    def parts(self, before: Recipe, after: Recipe) -> Sequence[Idea]:
        return [
            Idea(f"change {each}", simulated_recipe(changes_of(after) - {each}))
            for each in sorted(changes_of(after) - changes_of(before))
        ]

    def fair(self, idea: Idea) -> Sequence[Idea]:
        return (idea,)

    def challengers(self) -> Sequence[str]:
        return ()


def simulated_began(
    world: World, seed: int, trials: int | None = None, budget: float = math.inf, looks: str = "A"
) -> Began:
    """The first entry of a simulated study."""
    return Began(
        0.0, "simulated", "", {}, "", TaskKind.REGRESSION, "y", (), world.measure.value, True, world.work,
        world.examples, world.work, 1, False, seed, budget, trials, looks, _MACHINE,
    )  # fmt: skip


def simulated_study(world: World, seed: int, rounds: int = 5, treatments: int = 4, looks: str = "A") -> Study:
    """Run one study of `rounds` rounds through the coach; its ledger is in memory."""
    ledger = MemoryLedger(Study((simulated_began(world, seed, rounds * treatments, looks=looks),)))
    improve(ledger, SimulatedRunner(world, seed), SimulatedAdvisor(treatments), lambda: 0.0)
    return ledger.study


class TimedRunner(SimulatedRunner):
    """Each run takes a second of its own clock (`clock()`)."""

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world, seed)
        self._now = 0.0

    def clock(self) -> float:
        return self._now

    def run(self, requests: Sequence[Request], deadline: float | None) -> Sequence[Result]:
        self._now += len(requests)
        return super().run(requests, deadline)

    def predicted_seconds(self, requests: Sequence[Request]) -> float:
        return float(len(requests))


class _FewIdeas(SimulatedAdvisor):
    """Has ideas until a study knows so many recipes."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def ideas(self, study: Study, recipe: Recipe) -> Sequence[Idea]:
        return super().ideas(study, recipe) if len(study.recipes) < self._most else ()


def simulated_timed_study(world: World, seed: int, budget: float = 600.0, ideas: int = 20, looks: str = "B") -> Study:
    """Run one study that ends by its budget, in runs: when its ideas are tried it proves, doubts and searches."""
    ledger = MemoryLedger(Study((simulated_began(world, seed, budget=budget, looks=looks),)))
    runner = TimedRunner(world, seed)
    improve(ledger, runner, _FewIdeas(ideas), runner.clock)
    return ledger.study
