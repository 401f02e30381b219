"""A lower learning rate.

Does: a third of the rate.
Helps: losses that jump, diverge or swing beyond the noise of their batches.
Misleads: with few steps a low rate loses more than it steadies: 1e-3 for 3e-3 lost on eight of seventeen tables.
Source: five rates on seventeen tables.
"""

from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.learning_rate_not_decayed import LearningRateNotDecayed
from liebig.checks.learning_rate_too_high import LearningRateTooHigh
from liebig.checks.non_finite import NonFinite
from liebig.checks.oscillating_loss import OscillatingLoss
from liebig.checks.shifting_activations import ShiftingActivations
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import at_rate, rate_of, worth_trying
from liebig.remedies.priors import measured
from liebig.remedies.told import number


class LowerRate(Remedy):
    """`optimizer.learning_rate` / 3 (/ 30 too when the finding says that steps are far too large)."""

    name = "lower-rate"
    answers = (
        LearningRateTooHigh,
        ExplodingGradient,
        NonFinite,
        LearningRateNotDecayed,
        OscillatingLoss,
        ShiftingActivations,
    )
    prior = measured(-0.4, 2, 8, 7)
    changes = ("optimizer.learning_rate",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        rate = rate_of(recipe)
        if rate is None:
            return ()
        too_high = (
            finding is not None and isinstance(finding.check, (LearningRateTooHigh, NonFinite)) and finding.is_warning
        )
        factors = (10.0, 30.0, 3.0) if too_high else (3.0,)
        return tuple(
            proposal
            for factor in factors
            for proposal in worth_trying(
                f"rate {rate:.3g} -> {rate / factor:.3g}", recipe, at_rate(recipe, float(f"{rate / factor:.3g}"))
            )
        )

    def advise(self, finding: Finding) -> str:
        used, found = number(finding, "used"), number(finding, "found")
        if used and found and found < used:
            return f"Lower the learning rate from {used:.3g} to {found:.3g}."
        return "Lower the learning rate to a third, or to what a range test finds."
