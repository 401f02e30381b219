"""Layer normalisation.

Does: standardises the units of a layer over the layer, for each row by itself.
Helps: makes depth safe, whatever the batch size.
Misleads: a row's overall size is lost to the next layer.
Source: Ba, Kiros & Hinton 2016, arXiv:1607.06450.
"""

from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.shifting_activations import ShiftingActivations
from liebig.checks.vanishing_gradient import VanishingGradient
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in
from liebig.remedies.priors import measured


class NormaliseByLayer(Remedy):
    """`network.normalisation` becomes `layer`."""

    name = "layer-normalisation"
    answers = (VanishingGradient, ExplodingGradient, ShiftingActivations)
    cures = (VanishingGradient,)
    prior = measured(0.0, 3, 12, 2)
    changes = ("network.normalisation", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        if network is None or (network.is_normalised and not network.has_batch_statistics):
            return ()
        changed = network.without_batch_statistics() if network.has_batch_statistics else network.normalised("layer")
        return worth_trying("layer normalisation", recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Put layer normalisation between each hidden layer and its activation."
