"""Shift pictures at random.

Does: trains on pictures shifted by up to an eighth of their side.
Helps: nearly all pictures: it is the augmentation that gives the most on CIFAR-10.
Misleads: where the place of a thing is the answer.
Source: Krizhevsky, Sutskever & Hinton 2012; He et al. 2016, arXiv:1512.03385, section 4.2.
"""

from liebig.checks.overfitting import Overfitting
from liebig.checks.too_little_data import TooLittleData
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.data.pictures.inputs import PictureInputs
from liebig.remedies.edits import add, worth_trying
from liebig.techniques.batches.random_crop import RandomCrop


class CropPictures(Remedy):
    """Adds `random-crop`."""

    name = "crop-pictures"
    answers = (Overfitting, TooLittleData)
    prior = Prior(3.0, -0.5, 6.5, "random crops on small pictures, the literature's gaps")
    changes = ("techniques.random-crop",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.inputs, PictureInputs) or recipe.technique(RandomCrop) is not None:
            return ()
        return worth_trying("augment: random crop", recipe, add(recipe, RandomCrop()))

    def advise(self, finding: Finding) -> str:
        return "Where the inputs are pictures, shift each by up to an eighth of its side, anew in every epoch."
