"""What the coach knows about tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from liebig.classical import Shape, installed
from liebig.coach.advice import Idea
from liebig.coach.advising import starting_idea
from liebig.core.evidence import Measurement
from liebig.core.recipe import Recipe
from liebig.core.task import Task
from liebig.data.table.content import TableData
from liebig.data.table.first_recipes import starting, textbook
from liebig.data.table.task import TableTask
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.techniques.stopping.early_stopping import EarlyStopping


@dataclass(frozen=True, slots=True, eq=False)
class TableSubject:
    found: TableTask

    @property
    def task(self) -> Task[TableData]:
        return self.found.task

    @property
    def columns(self) -> int:
        return len(self.found.task.data.inputs)

    @property
    def known(self) -> tuple[Measurement, ...]:
        return (self.found.profile,)

    def textbook(self) -> Recipe:
        return textbook(self.found)

    def starting(self) -> Sequence[Idea]:
        """A single network of an ensemble costs a fraction, and so does one that is trained for no longer than the textbook
        network: the ensemble, or a longer training, is then a rung of its own."""
        whole = starting(self.found)
        forms = [starting_idea(whole)]
        single = whole.without_technique(SeedEnsemble)
        if single != whole:
            forms.append(starting_idea(single))
        if isinstance(whole.stopping, EarlyStopping):
            short = single.replace(stopping=self.textbook().stopping)
            forms.append(starting_idea(short, "the starting recipe, briefly trained"))
        return forms

    def has_quick_range_test(self, recipe: Recipe) -> bool:
        return True

    def challengers(self) -> Sequence[str]:
        task = self.task
        categories = len(task.data.categories)
        shape = Shape(len(task.parts.work), len(task.data.numeric_inputs), categories, task.outputs)
        return tuple(each.name for each in installed() if each.applies(shape))
