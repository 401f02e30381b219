"""What the coach knows about pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from liebig.coach.advice import Idea
from liebig.coach.advising import in_lengths
from liebig.core.evidence import Measurement
from liebig.core.recipe import Recipe
from liebig.core.task import Task
from liebig.data.pictures.first_recipes import starting, textbook
from liebig.data.pictures.profile import picture_profile
from liebig.data.pictures.task import PictureTask

#: A network of convolutions may take as long as the whole study: the starting recipe is offered in so many lengths.
_LENGTHS: Final = (1.0, 0.75, 0.55, 0.4, 0.3, 0.2, 0.14, 0.1, 0.06)
_LEAST_EPOCHS: Final = 4


@dataclass(frozen=True, eq=False)
class PictureSubject:
    found: PictureTask

    @property
    def task(self) -> Task[Any]:
        return self.found.task

    @property
    def columns(self) -> int:
        return 0

    @cached_property
    def known(self) -> tuple[Measurement, ...]:
        return (self.found.profile, picture_profile(self.found.task, len(self.found.broken)))

    def textbook(self) -> Recipe:
        return textbook(self.found)

    def starting(self) -> Sequence[Idea]:
        return in_lengths(starting(self.found), _LENGTHS, _LEAST_EPOCHS)

    def has_quick_range_test(self, recipe: Recipe) -> bool:
        """That of convolutions costs as much as a short training."""
        return recipe.network.kind == "mlp"

    def challengers(self) -> Sequence[str]:
        return ()
