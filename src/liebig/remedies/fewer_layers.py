"""Fewer hidden layers.

Does: halves the depth.
Helps: gradients that vanish or explode on their way; little data.
Misleads: where depth was what the table needed the score falls.
Source: Glorot & Bengio 2010; depth 1 for 2 on seventeen tables.
"""

from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.overfitting import Overfitting
from liebig.checks.vanishing_gradient import VanishingGradient
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Proposal, Remedy, Situation
from liebig.remedies.edits import dense_network, edit, worth_trying
from liebig.remedies.priors import measured


class FewerLayers(Remedy):
    """`network.depth` halved."""

    name = "fewer-layers"
    answers = (VanishingGradient, ExplodingGradient, Overfitting)
    prior = measured(-0.2, 2, 11, 4)
    changes = ("network.depth",)
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = dense_network(recipe)
        if network is None or network.depth < 2:
            return ()
        layers = network.depth // 2
        name = f"fewer layers: {network.depth} -> {layers}"
        return worth_trying(name, recipe, edit(recipe, "network", {"depth": layers}), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Take out half of the hidden layers."
