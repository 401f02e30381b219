"""Convolutions in place of dense layers.

Does: exchanges an MLP on the pixels for three blocks of convolutions, or for the fast network behind a whitening layer;
    three blocks for that.
Helps: nearly all pictures: on CIFAR-10 of 5,000 pictures from about 0.4 to about 0.6 and more.
Misleads: pictures whose places have fixed meanings of their own (a form that was scanned); each step costs many times as much.
Source: LeCun et al. 1998; Jordan 2024, arXiv:2404.00498.
"""

from liebig.checks.overfitting import Overfitting
from liebig.checks.still_improving import StillImproving
from liebig.checks.too_little_data import TooLittleData
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.data.pictures.inputs import PictureInputs
from liebig.nets.dense import DenseSettings
from liebig.nets.plain_cnn import PlainCNN
from liebig.nets.whitened_cnn import WhitenedCNN
from liebig.remedies.edits import add, exchange, worth_trying
from liebig.techniques.initialisations.whiten_patches import WhitenPatches


class UseConvolutions(Remedy):
    """`network` becomes `plain-cnn`, or `whitened-cnn`."""

    name = "use-convolutions"
    answers = (Underfitting, Overfitting, TooLittleData, StillImproving)
    prior = Prior(
        8.0, 2.0, 14.0, "an MLP against three blocks of convolutions on small pictures, the literature's gaps"
    )
    changes = ("network",)
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.inputs, PictureInputs):
            return ()
        plain = exchange(recipe, "network", PlainCNN())
        whitened = exchange(recipe, "network", WhitenedCNN(width=32))
        if whitened is not None:
            whitened = add(whitened, WhitenPatches())
        if isinstance(recipe.network, DenseSettings):
            return (
                *worth_trying("convolutions: three blocks", recipe, plain),
                *worth_trying("convolutions: behind a whitening layer", recipe, whitened),
            )
        if isinstance(recipe.network, PlainCNN):
            return worth_trying("convolutions: behind a whitening layer", recipe, whitened)
        return ()

    def advise(self, finding: Finding) -> str:
        return "Where the inputs are pictures, put convolutions in place of dense layers on the pixels."
