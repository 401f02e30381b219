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
from liebig.remedies.edits import rate_of, rates_worth_trying
from liebig.remedies.priors import measured
from liebig.remedies.told import number

_NEAR = 1.5  # a rate within this factor of the present one is not another rate


class LowerRate(Remedy):
    """`optimizer.learning_rate` to what the finding found, / 3 (/ 30 too when the finding says that steps are far too large)."""

    name = "lower-rate"
    answers = (
        LearningRateTooHigh,
        ExplodingGradient,
        NonFinite,
        LearningRateNotDecayed,
        OscillatingLoss,
        ShiftingActivations,
    )
    cures = (LearningRateTooHigh,)
    prior = measured(-0.4, 2, 8, 7)
    changes = ("optimizer.learning_rate",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        rate = rate_of(recipe)
        if rate is None:
            return ()
        too_high = (
            finding is not None and isinstance(finding.check, (LearningRateTooHigh, NonFinite)) and finding.is_warning
        )
        wanted = [rate / factor for factor in ((10.0, 30.0, 3.0) if too_high else (3.0,))]
        tested = number(finding, "found") if finding is not None else None
        if tested is not None and tested < rate / _NEAR:
            wanted.insert(0, tested)
        return rates_worth_trying(recipe, rate, wanted)

    def advise(self, finding: Finding) -> str:
        used, found = number(finding, "used"), number(finding, "found")
        if used and found and found < used:
            return f"Lower the learning rate from {used:.3g} to {found:.3g}."
        return "Lower the learning rate to a third, or to what a range test finds."
