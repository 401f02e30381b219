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
from liebig.remedies.edits import rate_of, rates_worth_trying
from liebig.remedies.priors import measured
from liebig.remedies.told import number

_NEAR = 1.5  # a rate within this factor of the present one is not another rate


class HigherRate(Remedy):
    """`optimizer.learning_rate` to what the finding found, x 3 (x 30 when the finding says that steps are hopelessly small)."""

    name = "higher-rate"
    answers = (LearningRateTooLow, StillImproving, Underfitting)
    cures = (LearningRateTooLow,)
    prior = measured(0.5, 8, 8, 1)
    changes = ("optimizer.learning_rate",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        rate = rate_of(recipe)
        if rate is None:
            return ()
        too_low = finding is not None and isinstance(finding.check, LearningRateTooLow) and finding.is_warning
        wanted = [rate * factor for factor in ((30.0, 3.0) if too_low else (3.0,))]
        tested = number(finding, "found") if finding is not None else None
        if tested is not None and tested > rate * _NEAR:
            wanted.insert(0, tested)
        return rates_worth_trying(recipe, rate, wanted)

    def advise(self, finding: Finding) -> str:
        used, found = number(finding, "used"), number(finding, "found")
        if used and found and found > used:
            return f"Raise the learning rate from {used:.3g} to {found:.3g}."
        return "Raise the learning rate threefold, or to what a range test finds."
