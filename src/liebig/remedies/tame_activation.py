"""An activation that grows no faster than its input.

Does: exchanges exponentials, powers and the like between the layers for a ReLU, and draws the weights anew as suits it.
Helps: networks in which each layer makes large values larger still, until they are infinite.
Misleads: where the growth is meant (rates of a Poisson count) it belongs to the answer, not between the layers.
Source: Goodfellow, Bengio & Courville 2016, section 8.2.4, on products of many large derivatives.
"""

from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.non_finite import NonFinite
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import bent_and_drawn, network_in

#: Activations whose slope grows with their input.
_GROWING = frozenset({"exp", "exp2", "expm1", "square", "pow", "sinh", "cosh", "tan"})


class TameActivation(Remedy):
    """Adds `swap-activation` to ReLU where a network of one's own bends by what grows. Only in answer to a finding."""

    name = "tame-activation"
    answers = (ExplodingGradient, NonFinite)
    cures = (ExplodingGradient, NonFinite)
    prior = Prior(3.0, 0.0, 8.0, "our own fault benchmark: an exponential in each of eight layers")
    changes = ("techniques", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        if network is None or finding is None or network.activation not in _GROWING:
            return ()
        changed = bent_and_drawn(recipe, situation, "relu")
        return worth_trying("activation: ReLU, drawn by He", recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Use activations that grow no faster than their input, such as ReLU, and no exponentials between layers."
