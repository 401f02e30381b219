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
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in
from liebig.remedies.priors import measured


class FewerLayers(Remedy):
    """`network.depth` halved."""

    name = "fewer-layers"
    answers = (VanishingGradient, ExplodingGradient, Overfitting)
    prior = measured(-0.2, 2, 11, 4)
    changes = ("network.depth", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        changed = network.shortened() if network is not None else None
        after = network_in(changed, situation) if changed is not None else None
        if network is None or after is None:
            return ()
        name = f"fewer layers: {network.depth} -> {after.depth}"
        return worth_trying(name, recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Take out half of the hidden layers."
