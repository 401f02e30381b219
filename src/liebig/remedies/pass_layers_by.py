"""Residual connections where layers are many and narrow.

Does: each hidden layer adds to what enters it, with layer normalisation where there is none, from half as many hidden layers
    as units in the widest of them.
Helps: there the best of draws still starts badly: the size of signals and gradients is right on average over draws, but its
    spread grows exponentially with the sum of 1 / width over the layers, so that most single draws vanish or explode.
Misleads: more units a layer do the same where they can be paid for.
Source: Hanin & Rolnick 2018, arXiv:1803.01719 (the sum of reciprocal widths; residual networks are spared);
    He et al. 2016, arXiv:1603.05027.
"""

from liebig.checks.poor_initialisation import PoorInitialisation
from liebig.checks.vanishing_gradient import VanishingGradient
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in

#: Sum of 1 / width over the hidden layers (at least depth / widest) from which single draws lie far from their mean.
_NARROW = 0.5
_DEEP = 6  # hidden layers below which few layers are passed by


class PassLayersBy(Remedy):
    """`network.residual` on where depth is at least half the width. Only in answer to a finding."""

    name = "pass-layers-by"
    answers = (PoorInitialisation, VanishingGradient)
    cures = (PoorInitialisation, VanishingGradient)
    prior = Prior(4.5, 0.5, 8.0, "our own fault benchmark: sixteen layers of sixteen units")
    changes = ("network.residual", "network.normalisation", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        if network is None or finding is None or network.depth < _DEEP or network.depth < _NARROW * network.width:
            return ()
        name = "residual connections" if network.is_normalised else "residual connections with layer normalisation"
        return worth_trying(name, recipe, network.connected(), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Where layers are many and narrow add each hidden layer's input to its output, or take wider layers."
