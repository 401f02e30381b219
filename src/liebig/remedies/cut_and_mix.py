"""Put squares of other pictures into pictures.

Does: trains on pictures half of which hold a square of another one, with targets mixed alike (CutMix), or on blends of two (mixup).
Helps: networks that learn a few thousand pictures by heart.
Misleads: short trainings lose by both.
Source: Yun et al. 2019, arXiv:1905.04899, table 2; Zhang et al. 2018, arXiv:1710.09412.
"""

from liebig.checks.overfitting import Overfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.data.pictures.inputs import PictureInputs
from liebig.remedies.edits import add, worth_trying
from liebig.techniques.batches.cut_mix import CutMix
from liebig.techniques.batches.mixup import Mixup


class CutAndMix(Remedy):
    """Adds `cut-mix`, or `mixup`."""

    name = "cut-and-mix"
    answers = (Overfitting,)
    prior = Prior(0.8, -1.5, 3.0, "mixed pictures on small pictures, the literature's gaps")
    changes = ("techniques.cut-mix", "techniques.mixup")

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.inputs, PictureInputs):
            return ()
        if recipe.technique(CutMix) is not None or recipe.technique(Mixup) is not None:
            return ()
        return (
            *worth_trying("augment: CutMix", recipe, add(recipe, CutMix())),
            *worth_trying("augment: mixup", recipe, add(recipe, Mixup(alpha=0.2))),
        )

    def advise(self, finding: Finding) -> str:
        return "Where the inputs are pictures, train on pictures with squares of others in them, targets mixed alike (CutMix)."
