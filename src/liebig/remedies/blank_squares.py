"""Blank a square of each picture.

Does: trains on pictures in which a square, a quarter of the side wide, is hidden (cutout).
Helps: networks that learn a few thousand pictures by heart.
Misleads: small things may be hidden whole; short trainings lose by it.
Source: DeVries & Taylor 2017, arXiv:1708.04552, table 1 (CIFAR-10 with crops and mirror images: 4.7 -> 4.0 % errors).
"""

from liebig.checks.overfitting import Overfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.data.pictures.inputs import PictureInputs
from liebig.remedies.edits import add, worth_trying
from liebig.techniques.batches.cutout import Cutout


class BlankSquares(Remedy):
    """Adds `cutout`."""

    name = "blank-squares"
    answers = (Overfitting,)
    prior = Prior(1.0, -1.0, 3.0, "cutout on small pictures, the literature's gaps")
    changes = ("techniques.cutout",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.inputs, PictureInputs) or recipe.technique(Cutout) is not None:
            return ()
        return worth_trying("augment: cutout", recipe, add(recipe, Cutout()))

    def advise(self, finding: Finding) -> str:
        return "Where the inputs are pictures, hide a square of each while training (cutout)."
