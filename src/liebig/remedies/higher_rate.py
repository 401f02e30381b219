"""A higher learning rate.

Does: three times the rate.
Helps: short trainings, where steps are few: 1e-2 for 3e-3 won on five of seventeen tables and lost on one.
Misleads: with a long training and a constant rate the noise floor rises.
Source: five rates on seventeen tables.
"""

from liebig.checks.learning_rate_too_low import LearningRateTooLow
from liebig.checks.still_improving import StillImproving
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import at_rate, rate_of, worth_trying
from liebig.remedies.priors import measured
from liebig.remedies.told import number


class HigherRate(Remedy):
    """`optimizer.learning_rate` x 3 (x 30 when the finding says that steps are hopelessly small)."""

    name = "higher-rate"
    answers = (LearningRateTooLow, StillImproving, Underfitting)
    prior = measured(0.5, 8, 8, 1)
    changes = ("optimizer.learning_rate",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        rate = rate_of(recipe)
        if rate is None:
            return ()
        too_low = finding is not None and isinstance(finding.check, LearningRateTooLow) and finding.is_warning
        factors = (30.0, 3.0) if too_low else (3.0,)
        return tuple(
            proposal
            for factor in factors
            for proposal in worth_trying(
                f"rate {rate:.3g} -> {rate * factor:.3g}", recipe, at_rate(recipe, float(f"{rate * factor:.3g}"))
            )
        )

    def advise(self, finding: Finding) -> str:
        used, found = number(finding, "used"), number(finding, "found")
        if used and found and found > used:
            return f"Raise the learning rate from {used:.3g} to {found:.3g}."
        return "Raise the learning rate threefold, or to what a range test finds."
