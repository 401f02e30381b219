"""Mirror pictures at random.

Does: trains on mirror images as often as on the pictures themselves; a network that can answers for both, and the mean counts.
  Where that is in already: each picture and its mirror image by turns.
Helps: photographs.
Misleads: digits, letters and whatever has a hand: the mirror image is another thing. The trial decides, and is not assumed.
Source: Krizhevsky, Sutskever & Hinton 2012; test-time views of Simonyan & Zisserman 2015, arXiv:1409.1556, section 3.2.
"""

from liebig.checks.overfitting import Overfitting
from liebig.checks.too_little_data import TooLittleData
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.data.pictures.inputs import PictureInputs
from liebig.nets.pictures import PictureNetwork
from liebig.remedies.edits import add, edit, worth_trying
from liebig.techniques.batches.random_flip import RandomFlip


class MirrorPictures(Remedy):
    """Adds `random-flip`, and `network.mirrored`."""

    name = "mirror-pictures"
    answers = (Overfitting, TooLittleData)
    prior = Prior(1.5, -3.0, 5.0, "mirror images: a gain on photographs, a loss on digits, the literature's gaps")
    changes = ("techniques.random-flip", "network.mirrored")

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.inputs, PictureInputs):
            return ()
        present = recipe.technique(RandomFlip)
        if present is not None:
            by_turns = None if present.alternating else add(recipe, RandomFlip(alternating=True))
            return worth_trying("augment: mirror images by turns", recipe, by_turns)
        changed = add(recipe, RandomFlip())
        if changed is not None and isinstance(recipe.network, PictureNetwork):
            changed = edit(changed, "network", {"mirrored": True})
        return worth_trying("augment: mirror images", recipe, changed)

    def advise(self, finding: Finding) -> str:
        return "Where a mirror image shows the same thing, mirror half of the pictures, anew in every epoch."
