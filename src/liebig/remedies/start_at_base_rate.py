"""Start at the base rate.

Does: sets the last layer's bias so that the untrained network answers the class shares (or the mean).
Helps: rare classes and wrong first losses; the first steps are not spent on learning the average.
Misleads: with a small first layer of noise on top the gain is a few steps.
Source: Lin et al. 2017, arXiv:1708.02002, section 4.1; Karpathy 2019, A recipe for training neural networks.
"""

from liebig.checks.class_imbalance import ClassImbalance
from liebig.checks.poor_initialisation import PoorInitialisation
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import add, worth_trying
from liebig.techniques.initialisations.base_rate_bias import BaseRateBias


class StartAtBaseRate(Remedy):
    """Adds `base-rate-bias`, for classes."""

    name = "start-at-base-rate"
    answers = (ClassImbalance, PoorInitialisation)
    prior = Prior(0.1, -0.4, 0.8, "Lin et al. 2017, section 4.1: needed where one class has a share of a thousandth")
    changes = ("techniques.base-rate-bias",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not situation.kind.is_classification or recipe.technique(BaseRateBias) is not None:
            return ()
        return worth_trying("last bias at the base rate", recipe, add(recipe, BaseRateBias()))

    def advise(self, finding: Finding) -> str:
        return "Set the last layer's bias to the log odds of the classes before the first step."
