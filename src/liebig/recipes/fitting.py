"""Does a recipe suit a task? What slots cannot know of each other, since no recipe knows its task."""

from __future__ import annotations

from liebig.core.recipe import Recipe
from liebig.core.task import TaskKind
from liebig.recipes.slots import kind_of
from liebig.recipes.words import listed
from liebig.techniques.batching.balanced import Balanced
from liebig.techniques.objectives import ALL as OBJECTIVES
from liebig.techniques.objectives import FOR_CLASSES


def task_complaint(recipe: Recipe, kind: TaskKind) -> str | None:
    """Why `recipe` cannot learn a target of this kind, in one sentence, or None when it can."""
    learns_classes = isinstance(recipe.objective, FOR_CLASSES)
    if learns_classes != kind.is_classification:
        fitting = [kind_of(each) for each in OBJECTIVES if (each in FOR_CLASSES) == kind.is_classification]
        learns, target = ("classes", "a number") if learns_classes else ("numbers", "a class")
        return (
            f"objective {recipe.objective.kind} learns {learns}, however the target is {target}: "
            f"it must be {listed(fitting)}."
        )
    if isinstance(recipe.batching, Balanced) and not kind.is_classification:
        return "batching balanced draws classes alike, however the target is a number: it must be shuffled."
    return None
