"""Jitter the colours of pictures.

Does: trains on pictures that are a little brighter or darker, with more or less contrast, and tinted.
Helps: photographs: light and camera are not what they show.
Misleads: where the tone is the answer.
Source: Krizhevsky, Sutskever & Hinton 2012, section 4.1; measured on 4,000 pictures of CIFAR-10: +1 to +2 points.
"""

from liebig.checks.overfitting import Overfitting
from liebig.checks.too_little_data import TooLittleData
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.data.pictures.inputs import PictureInputs
from liebig.remedies.edits import add, worth_trying
from liebig.techniques.batches.colour_jitter import ColourJitter


class JitterColours(Remedy):
    """Adds `colour-jitter`."""

    name = "jitter-colours"
    answers = (Overfitting, TooLittleData)
    prior = Prior(1.5, -1.0, 4.0, "colour jitter on small photographs: four runs, and the literature's gaps")
    changes = ("techniques.colour-jitter",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.inputs, PictureInputs) or recipe.technique(ColourJitter) is not None:
            return ()
        return worth_trying("augment: colour jitter", recipe, add(recipe, ColourJitter()))

    def advise(self, finding: Finding) -> str:
        return (
            "Where the inputs are pictures, change brightness, contrast and tint of each a little, anew in every epoch."
        )
