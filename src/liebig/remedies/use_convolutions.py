"""Convolutions in place of dense layers.

Does: exchanges an MLP on the pixels for three blocks of convolutions, or for a residual network; three blocks for a residual
    network.
Helps: nearly all pictures: on CIFAR-10 of 5,000 pictures from about 0.4 to about 0.6 and more.
Misleads: pictures whose places have fixed meanings of their own (a form that was scanned); each step costs many times as much.
Source: LeCun et al. 1998; He et al. 2016, arXiv:1512.03385.
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
from liebig.nets.residual_cnn import ResidualCNN
from liebig.remedies.edits import exchange, worth_trying


class UseConvolutions(Remedy):
    """`network` becomes `plain-cnn`, or `residual-cnn`."""

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
        residual = exchange(recipe, "network", ResidualCNN())
        if isinstance(recipe.network, DenseSettings):
            return (
                *worth_trying("convolutions: three blocks", recipe, plain),
                *worth_trying("convolutions: residual network", recipe, residual),
            )
        if isinstance(recipe.network, PlainCNN):
            return worth_trying("convolutions: residual network", recipe, residual)
        return ()

    def advise(self, finding: Finding) -> str:
        return "Where the inputs are pictures, put convolutions in place of dense layers on the pixels."
