"""What the coach knows about sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from liebig.classical import FOR_FORECASTS, FOR_SEQUENCES, installed
from liebig.coach.advice import Idea
from liebig.coach.advising import in_lengths
from liebig.core.evidence import Measurement
from liebig.core.recipe import Recipe
from liebig.core.task import Task
from liebig.data.sequences.first_recipes import starting, textbook
from liebig.data.sequences.profile import sequence_profile
from liebig.data.sequences.task import SequenceTask

_LENGTHS: Final = (1.0, 0.6, 0.35, 0.2, 0.1)
_LEAST_EPOCHS: Final = 5


@dataclass(frozen=True, eq=False)
class SequenceSubject:
    found: SequenceTask

    @property
    def task(self) -> Task[Any]:
        return self.found.task

    @property
    def columns(self) -> int:
        return 0

    @cached_property
    def known(self) -> tuple[Measurement, ...]:
        return (self.found.profile, sequence_profile(self.found.task))

    def textbook(self) -> Recipe:
        return textbook(self.found)

    def starting(self) -> Sequence[Idea]:
        return in_lengths(starting(self.found), _LENGTHS, _LEAST_EPOCHS)

    def has_quick_range_test(self, recipe: Recipe) -> bool:
        """That of networks over steps costs as much as a short training."""
        return recipe.network.kind == "mlp"

    def challengers(self) -> Sequence[str]:
        if self.found.task.target.ndim == 2 or self.found.task.data.anchor >= 0:
            return tuple(each.name for each in FOR_FORECASTS)
        return tuple(each.name for each in (*FOR_SEQUENCES, *installed()))
