"""Remedies: small pure changes of a recipe, which name the checks that they answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from liebig.core.check import Check, Finding
from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.task import TaskKind


@dataclass(frozen=True, slots=True)
class Prior:
    """What a remedy is expected to give before it is tried: the median gain, in block standard deviations, with its
    interval and where that comes from."""

    effect: float
    low: float
    high: float
    source: str


class Depth(StrEnum):
    """Where a remedy acts."""

    AROUND = "around the network"
    ON = "on the network"
    CODE = "in the code"


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a remedy may look at: the kind of task, its size, what was seen of the incumbent, the rate that a
    range test on fit rows found for the incumbent (None where none was run), and how many examples have no label."""

    kind: TaskKind
    rows: int
    columns: int
    evidence: Evidence
    found_rate: float | None = None
    unlabelled: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """A recipe worth trying. `name` is what the ladder shows: "scale: quantile to normal". `saves` marks what is to reach the
    same score in less time, and is judged so."""

    name: str
    recipe: Recipe
    finds_rate: bool = False  # also try it at the rate that a range test finds (TRIALS 18)
    saves: bool = False


class Remedy(ABC):
    """One small change. Concrete remedies are final, stateless, and live in a file of their own.

    `answers` are the checks that it answers; an empty tuple marks a remedy worth trying without a finding
    (an ensemble of seeds, say). `cures` are those among them whose cause it takes away: where such a check warns, `prior`,
    which is that of a try at large, says too little. `changes` are the dotted paths of the recipe that it may change, whole or as prefixes.
    """

    name: ClassVar[str]
    answers: ClassVar[tuple[type[Check], ...]]
    cures: ClassVar[tuple[type[Check], ...]] = ()
    prior: ClassVar[Prior]
    changes: ClassVar[tuple[str, ...]]
    depth: ClassVar[Depth] = Depth.AROUND

    @abstractmethod
    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        """Recipes worth trying in answer to `finding`, best first; none where the remedy does not apply or is already in."""

    @abstractmethod
    def advise(self, finding: Finding) -> str:
        """The same in one sentence, for a loop that has no recipe."""
