"""Does a recipe suit a task? What slots cannot know of each other, since no recipe knows its task."""

from __future__ import annotations

from liebig.core.recipe import Recipe
from liebig.core.task import TaskKind
from liebig.data.module.inputs import ModuleInputs
from liebig.nets.user_module import UserModule
from liebig.recipes.slots import kind_of
from liebig.recipes.words import listed
from liebig.techniques.batching.balanced import Balanced
from liebig.techniques.batching.own_order import OwnOrder
from liebig.techniques.objectives import ALL as OBJECTIVES
from liebig.techniques.objectives import FOR_CLASSES
from liebig.techniques.objectives.users_loss import UsersLoss

_NOT_THE_USERS = (
    "objective users-loss is a function of the user's own, however the network is not: it must be one by name."
)


def task_complaint(recipe: Recipe, kind: TaskKind) -> str | None:
    """Why `recipe` cannot learn a target of this kind, in one sentence, or None when it can."""
    if isinstance(recipe.network, UserModule) != isinstance(recipe.inputs, ModuleInputs):
        data = "a table" if isinstance(recipe.network, UserModule) else "data of the user's own"
        fitting = "mlp or packed-mlp" if isinstance(recipe.network, UserModule) else "user-module"
        return f"network {recipe.network.kind} cannot read inputs {recipe.inputs.kind}, {data}: it must be {fitting}."
    if isinstance(recipe.batching, OwnOrder) and not isinstance(recipe.inputs, ModuleInputs):
        return "batching own-order is drawn by the sampler of a user's own loader: for a table it must be shuffled."
    if isinstance(recipe.objective, UsersLoss):
        return None if isinstance(recipe.network, UserModule) else _NOT_THE_USERS
    learns_classes = isinstance(recipe.objective, FOR_CLASSES)
    if learns_classes != kind.is_classification:
        kinds = [kind_of(each) for each in OBJECTIVES if (each in FOR_CLASSES) == kind.is_classification]
        learns, target = ("classes", "a number") if learns_classes else ("numbers", "a class")
        return (
            f"objective {recipe.objective.kind} learns {learns}, however the target is {target}: "
            f"it must be {listed(kinds)}."
        )
    if isinstance(recipe.batching, Balanced) and not kind.is_classification:
        return "batching balanced draws classes alike, however the target is a number: it must be shuffled."
    return None
