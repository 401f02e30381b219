"""Leaky units in place of ReLU.

Does: a unit answers a hundredth of its input below zero in place of nothing.
Helps: dead units: a gradient always comes through.
Misleads: where few units are dead it is a tie.
Source: Maas, Hannun & Ng 2013, Rectifier nonlinearities improve neural network acoustic models.
"""

from liebig.checks.dead_units import DeadUnits
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in


class LeakUnits(Remedy):
    """`network.activation` becomes `leaky-relu` where it is `relu`."""

    name = "leaky-activation"
    answers = (DeadUnits,)
    prior = Prior(0.1, -0.6, 2.0, "Maas et al. 2013; a tie unless units are dead")
    changes = ("network.activation", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        if network is None or network.activation != "relu":
            return ()
        return worth_trying("activation: leaky ReLU", recipe, network.bent_by("leaky-relu"), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Use a leaky ReLU, so that silent units still get a gradient."
