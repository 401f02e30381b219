"""ReLU in place of what squashes, drawn to suit.

Does: exchanges sigmoid, tanh and their kin between the layers of a deep network for ReLU, and draws the weights anew as suits it.
Helps: gradients that shrink at each layer: a sigmoid's slope is at most a quarter, a tanh's below one wherever it bends.
Misleads: shallow networks learn well with either; units that must stay within bounds (a controller's, say) need their ends.
Source: Glorot, Bordes & Bengio 2011; He et al. 2015, arXiv:1502.01852; the two belong together, since each scheme of drawing
    weights is made for one kind of slope.
"""

from liebig.checks.saturated_units import SaturatedUnits
from liebig.checks.vanishing_gradient import VanishingGradient
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import SQUASHING, bent_and_drawn, network_in

#: Hidden layers from which the product of the slopes matters.
_DEEP = 3


class UnsquashActivation(Remedy):
    """`network.activation` becomes `relu`, with its initialisation. Only in answer to a finding."""

    name = "unsquash-activation"
    answers = (VanishingGradient, SaturatedUnits)
    cures = (VanishingGradient,)
    prior = Prior(4.5, 0.5, 8.0, "our own fault benchmark: eleven layers of sigmoid units")
    changes = ("network.activation", "techniques", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        if network is None or finding is None or network.depth < _DEEP or network.activation not in SQUASHING:
            return ()
        changed = bent_and_drawn(recipe, situation, "relu")
        return worth_trying("activation: ReLU, drawn by He", recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Use ReLU between the layers in place of sigmoid or tanh, with weights of He's variance."
