"""Variance calibration, layer by layer, on one batch.

Does: scales each layer's weights before step 0 until what enters its activation has unit spread on a first batch.
Helps: deep networks without normalisation, unusual activations, inputs whose scale no formula knows.
Misleads: one batch stands for all; outliers in it set the scale.
Source: Mishkin & Matas 2016 (LSUV), arXiv:1511.06422.
"""

from liebig.checks.dead_units import DeadUnits
from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.poor_initialisation import PoorInitialisation
from liebig.checks.saturated_units import SaturatedUnits
from liebig.checks.vanishing_gradient import VanishingGradient
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in


class CalibrateVariance(Remedy):
    """Adds `variance-calibration`."""

    name = "calibrate-variance"
    answers = (PoorInitialisation, VanishingGradient, ExplodingGradient, SaturatedUnits, DeadUnits)
    prior = Prior(0.2, -0.8, 3.0, "Mishkin & Matas 2016, table 3; not measured on our tables")
    changes = ("techniques.variance-calibration", "network.edits")

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        changed = network.calibrated() if network is not None else None
        return worth_trying("variance calibration at the start", recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Before training scale each layer's weights so that its outputs on one batch have unit variance."
