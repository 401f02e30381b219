"""Turn and zoom pictures at random.

Does: trains on pictures turned by up to ten degrees, and shown up to a tenth larger or smaller.
Helps: things that stand at no fixed angle or distance.
Misleads: where the angle is the answer; small photographs, which it blurs.
Source: Simard, Steinkraus & Platt 2003; Ciresan et al. 2012, arXiv:1202.2745 (digits: 0.35 to 0.23 % errors with others of its kind).
"""

from liebig.checks.overfitting import Overfitting
from liebig.checks.too_little_data import TooLittleData
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.data.pictures.inputs import PictureInputs
from liebig.remedies.edits import add, worth_trying
from liebig.techniques.batches.random_affine import RandomAffine


class TurnPictures(Remedy):
    """Adds `random-affine`."""

    name = "turn-pictures"
    answers = (Overfitting, TooLittleData)
    prior = Prior(0.5, -2.0, 3.0, "small turns: a gain on digits, none on small photographs (four runs)")
    changes = ("techniques.random-affine",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.inputs, PictureInputs) or recipe.technique(RandomAffine) is not None:
            return ()
        return worth_trying("augment: turns and sizes", recipe, add(recipe, RandomAffine()))

    def advise(self, finding: Finding) -> str:
        return "Where the inputs are pictures, turn each by a few degrees, and zoom a little, anew in every epoch."
