"""Residual connections.

Does: each hidden layer adds to what enters it, with layer normalisation where there is none.
Helps: deep networks, whose first layers else hear little from the loss.
Misleads: with one or two layers there is little to pass by.
Source: He et al. 2016, arXiv:1603.05027; on tables Gorishniy et al. 2021, arXiv:2106.11959.
"""

from liebig.checks.poor_initialisation import PoorInitialisation
from liebig.checks.underfitting import Underfitting
from liebig.checks.vanishing_gradient import VanishingGradient
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in
from liebig.remedies.priors import measured

_DEEP = 6  # hidden layers from which a start alone does not carry the signal through


class ConnectResidually(Remedy):
    """`network.residual` on, from two hidden layers; `layer` normalisation comes with it where there is none."""

    name = "residual-connections"
    answers = (VanishingGradient, Underfitting, PoorInitialisation)
    prior = measured(0.2, 4, 9, 4)
    changes = ("network.residual", "network.normalisation", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        starts_badly = finding is not None and isinstance(finding.check, PoorInitialisation)
        if network is None or network.depth < (_DEEP if starts_badly else 2):
            return ()
        name = "residual connections" if network.is_normalised else "residual connections with layer normalisation"
        return worth_trying(name, recipe, network.connected(), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Add each hidden layer's input to its output."
