"""One cycle of the rate.

Does: raises the rate to its peak over the first third and lowers it to nothing at the end.
Helps: a fixed number of epochs: with twice the peak it won on five tables against cosine and lost on none.
Misleads: as with cosine the length must be known beforehand.
Source: Smith & Topin 2018, arXiv:1708.07120.
"""

from liebig.checks.learning_rate_not_decayed import LearningRateNotDecayed
from liebig.checks.learning_rate_too_low import LearningRateTooLow
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import exchange, worth_trying
from liebig.remedies.priors import measured
from liebig.techniques.schedules.one_cycle import OneCycle


class OneCycleSchedule(Remedy):
    """`schedule` becomes `one-cycle`, whose peak is twice the rate."""

    name = "one-cycle"
    answers = (LearningRateNotDecayed, LearningRateTooLow)
    prior = measured(0.4, 7, 9, 1)
    changes = ("schedule",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if isinstance(recipe.schedule, OneCycle):
            return ()
        return worth_trying("one-cycle schedule", recipe, exchange(recipe, "schedule", OneCycle()))

    def advise(self, finding: Finding) -> str:
        return "Raise the learning rate to twice its value over the first third of the steps, then lower it to zero."
