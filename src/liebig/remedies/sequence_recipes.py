"""Recipes of sequences as remedies change them."""

from __future__ import annotations

from typing import Final

from liebig.core.evidence import Structure
from liebig.core.recipe import Recipe
from liebig.core.remedy import Situation
from liebig.nets.mlp import MLP
from liebig.nets.sequences import SequenceNetwork
from liebig.remedies.edits import edit
from liebig.techniques.batches import FOR_SEQUENCES as AUGMENTATIONS
from liebig.techniques.initialisations import FOR_SEQUENCES as PREPARATIONS

#: Steps of a linear way around the network: as many as there are.
HIGHWAY: Final = 4096


def reading_steps(recipe: Recipe) -> Recipe | None:
    """The recipe with the steps of sequences as inputs, and without what prepares another network."""
    bare = _without(recipe, PREPARATIONS)
    return edit(bare, "inputs", {"read": "steps"})


def reading_summaries(recipe: Recipe, width: int, dropout: float) -> Recipe:
    """The recipe with an MLP on what sequences are like; what changes steps goes."""
    bare = _without(recipe, (*PREPARATIONS, *AUGMENTATIONS))
    inputs = bare.inputs.model_copy(update={"read": "summary"})
    return bare.replace(inputs=inputs, network=MLP(width=width, dropout=dropout))


def forecasts(recipe: Recipe, situation: Situation) -> bool:
    """True where the next values of a series are answered."""
    if isinstance(recipe.network, SequenceNetwork) and recipe.network.highway:
        return True
    structure = situation.evidence.get(Structure)
    return not situation.kind.is_classification and structure is not None and structure.layers[-1].outputs > 1


def _without(recipe: Recipe, kinds: tuple[type[object], ...]) -> Recipe:
    kept = tuple(each for each in recipe.techniques if not isinstance(each, kinds))
    return recipe if len(kept) == len(recipe.techniques) else recipe.replace(techniques=kept)
