"""Augment pictures by operations drawn at random.

Does: trains on pictures changed by two of fourteen operations each (RandAugment): turns, shears, shifts, tones, contrast.
Helps: large networks that learn a few thousand photographs by heart, and trainings that are long enough.
Misleads: short trainings lose by it; where tone or angle is the answer.
Source: Cubuk et al. 2020, arXiv:1909.13719, tables 2 and 3.
"""

from liebig.checks.overfitting import Overfitting
from liebig.checks.too_little_data import TooLittleData
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.data.pictures.inputs import PictureInputs
from liebig.remedies.edits import add, worth_trying
from liebig.techniques.batches.rand_augment import RandAugment


class AugmentAtRandom(Remedy):
    """Adds `rand-augment`."""

    name = "augment-at-random"
    answers = (Overfitting, TooLittleData)
    prior = Prior(0.7, -2.0, 3.5, "RandAugment on small pictures, the literature's gaps")
    changes = ("techniques.rand-augment",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.inputs, PictureInputs) or recipe.technique(RandAugment) is not None:
            return ()
        return (
            *worth_trying("augment: RandAugment", recipe, add(recipe, RandAugment())),
            *worth_trying(
                "augment: RandAugment, one mild operation", recipe, add(recipe, RandAugment(rounds=1, magnitude=0.15))
            ),
        )

    def advise(self, finding: Finding) -> str:
        return "Where the inputs are photographs, change each by two operations drawn at random (RandAugment), anew in every epoch."
