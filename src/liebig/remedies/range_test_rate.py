"""The rate that a range test finds.

Does: sets the learning rate to 0.3 of the one at which a short test with rising rate had its lowest loss.
Helps: rates that are wrong by orders of magnitude.
Misleads: it guards against blunders and does not beat a good constant (rank correlation with the best rate 0.56).
Source: Smith 2017, arXiv:1506.01186; constants measured on 21 table-blocks.
"""

from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.learning_rate_too_high import LearningRateTooHigh
from liebig.checks.learning_rate_too_low import LearningRateTooLow
from liebig.checks.not_learning import NotLearning
from liebig.core.check import Finding
from liebig.core.evidence import RateRange
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import at_rate, rate_of, worth_trying
from liebig.remedies.told import number

_NEAR = 1.5  # a rate within this factor of the present one is not another rate


class RangeTestRate(Remedy):
    """`optimizer.learning_rate` becomes what a range test found (`situation.found_rate`, or a probe's), where a range test was run and disagrees."""

    name = "range-test-rate"
    answers = (LearningRateTooLow, LearningRateTooHigh, ExplodingGradient, NotLearning)
    cures = (LearningRateTooLow, LearningRateTooHigh)
    prior = Prior(0.3, -0.8, 4.0, "21 table-blocks: median 5 % of the gap behind the best of five rates, 38 % for 1e-3")
    changes = ("optimizer.learning_rate",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        rate, found = rate_of(recipe), situation.found_rate
        tested = situation.evidence.get(RateRange)
        if found is None and tested is not None and tested.found > 0:
            found = tested.found
        if rate is None or found is None or rate / _NEAR < found < rate * _NEAR:
            return ()
        rounded = float(f"{found:.2g}")
        return worth_trying(f"rate {rate:.3g} -> {rounded:g} (range test)", recipe, at_rate(recipe, rounded))

    def advise(self, finding: Finding) -> str:
        found = number(finding, "found")
        tried = f" ({found:.3g} here)" if found else ""
        return f"Run a learning-rate range test and take 0.3 of the rate with the lowest loss{tried}."
