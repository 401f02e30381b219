"""What the coach asks of whoever knows checks and remedies: what to start from, what limits a run, what might help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.study import Diagnosed, Study


@dataclass(frozen=True, slots=True)
class Idea:
    """A recipe worth trying. `worth` is (strength of the finding) x (prior effect, in block standard deviations);
    `remedy` made it and `answers` is the check that it answers ("" for none). `candidates` counts the recipes that it
    stands for: two where it is also tried at the rate that a range test finds (TRIALS 18). `is_cure` marks what takes the
    cause of a warning away; `saves` what is to reach the same score in less time."""

    name: str
    recipe: Recipe
    remedy: str = ""
    answers: str = ""
    worth: float = 0.0
    candidates: int = 1
    is_cure: bool = False
    saves: bool = False


class Advisor(Protocol):
    """Who knows checks and remedies. Answers depend on what is asked and on the study's seed alone."""

    def baseline(self) -> Idea:
        """What the user would do: for a table the textbook network."""

    def starting(self) -> Sequence[Idea]:
        """What an expert would start from today, then cheaper forms of it; none where there is no such recipe."""

    def look_at_data(self, at: float) -> tuple[Evidence, Diagnosed]:
        """Evidence of the data themselves and the findings in it."""

    def diagnose(self, recipe: Recipe, evidence: Sequence[Evidence], at: float) -> Diagnosed:
        """What limits `recipe`, from the evidence of its first blocks."""

    def ideas(self, study: Study, recipe: Recipe) -> Sequence[Idea]:
        """Recipes worth trying beside `recipe` (diagnosed already), best first."""

    def parts(self, before: Recipe, after: Recipe) -> Sequence[Idea]:
        """The parts of what changes between two recipes: each idea is `after` with one part left out and is called by that
        part."""

    def fair(self, idea: Idea) -> Sequence[Idea]:
        """The candidates of an idea: itself, and itself at the rate that a range test on fit rows finds."""

    def challengers(self) -> Sequence[str]:
        """Classical algorithms to judge beside the network."""
