"""GELU in place of the present activation.

Does: hidden units become GELU: smooth, never silent for good, without flat ends above.
Helps: units that saturate or die, gradients that vanish through sigmoids; slightly better than ReLU on tables (4 of 17, 1
    lost).
Misleads: at rates tuned for ReLU it may look worse than it is, so it is also tried at a rate of its own.
Source: Hendrycks & Gimpel 2016, arXiv:1606.08415.
"""

from liebig.checks.dead_units import DeadUnits
from liebig.checks.missing_nonlinearity import MissingNonlinearity
from liebig.checks.saturated_units import SaturatedUnits
from liebig.checks.vanishing_gradient import VanishingGradient
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in
from liebig.remedies.priors import measured


class UseGELU(Remedy):
    """`network.activation` becomes `gelu`."""

    name = "gelu-activation"
    answers = (VanishingGradient, SaturatedUnits, DeadUnits, MissingNonlinearity)
    prior = measured(0.2, 4, 12, 1)
    changes = ("network.activation", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        if network is None or network.activation == "gelu":
            return ()
        return worth_trying("activation: GELU", recipe, network.bent_by("gelu"), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Use GELU in the hidden layers in place of the present activation."
