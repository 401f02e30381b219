"""Warm up the learning rate.

Does: raises the rate from nothing over the first twentieth of the steps.
Helps: high rates, adaptive optimizers whose first steps rest on a handful of gradients, normalised deep networks.
Misleads: short trainings lose steps to it.
Source: Goyal et al. 2017, arXiv:1706.02677, section 2.2.
"""

from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.learning_rate_too_high import LearningRateTooHigh
from liebig.checks.non_finite import NonFinite
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import edit, worth_trying

_SHARE = 0.05


class WarmUp(Remedy):
    """`schedule.warmup` = 0.05 where the schedule has one and it is shorter."""

    name = "warm-up"
    answers = (LearningRateTooHigh, ExplodingGradient, NonFinite)
    prior = Prior(
        0.1, -0.3, 1.5, "Goyal et al. 2017, figure 2; on tables part of every measured recipe, not taken apart"
    )
    changes = ("schedule.warmup",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        warmup = getattr(recipe.schedule, "warmup", None)
        if warmup is None or warmup >= _SHARE:
            return ()
        return worth_trying("warm-up over 5 % of the steps", recipe, edit(recipe, "schedule", {"warmup": _SHARE}))

    def advise(self, finding: Finding) -> str:
        return "Raise the learning rate linearly over the first 5 % of the steps."
