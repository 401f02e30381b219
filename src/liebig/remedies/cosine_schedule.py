"""Cosine decay of the rate.

Does: lowers the rate along half a cosine to nothing at the last step, after a short warm-up.
Helps: a noise floor at a constant rate; the last epochs settle. Wrong labels keep gradients noisy to the end, and the floor is in
    proportion to rate and noise.
Misleads: it fixes the number of epochs beforehand; stopping before its end wastes the best part.
Source: Loshchilov & Hutter 2017, arXiv:1608.03983; against a constant rate on seventeen tables.
"""

from liebig.checks.label_noise import LabelNoise
from liebig.checks.learning_rate_not_decayed import LearningRateNotDecayed
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import exchange, worth_trying
from liebig.remedies.priors import measured
from liebig.techniques.schedules.cosine import Cosine


class CosineSchedule(Remedy):
    """`schedule` becomes `cosine`."""

    name = "cosine-schedule"
    answers = (LearningRateNotDecayed, LabelNoise)
    prior = measured(0.5, 7, 8, 2)
    changes = ("schedule",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if isinstance(recipe.schedule, Cosine):
            return ()
        return worth_trying("cosine decay", recipe, exchange(recipe, "schedule", Cosine(warmup=0.05)))

    def advise(self, finding: Finding) -> str:
        return "Lower the learning rate along a cosine to zero at the last step."
