"""Clip the gradient's norm.

Does: scales all gradients down together where their norm is above one.
Helps: exploding gradients, rare huge batches, rates near the edge.
Misleads: a network that clips at every step trains at a rate nobody chose.
Source: Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063, algorithm 1.
"""

from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.learning_rate_too_high import LearningRateTooHigh
from liebig.checks.non_finite import NonFinite
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import add, worth_trying
from liebig.techniques.gradients.clip_norm import ClipNorm


class ClipGradients(Remedy):
    """Adds `clip-norm` at a norm of one."""

    name = "clip-gradients"
    answers = (ExplodingGradient, LearningRateTooHigh, NonFinite)
    prior = Prior(0.1, -0.3, 4.0, "Pascanu et al. 2013, section 4; a tie where gradients are healthy")
    changes = ("techniques.clip-norm",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if recipe.technique(ClipNorm) is not None or finding is None:
            return ()
        return worth_trying("clip gradients to norm 1", recipe, add(recipe, ClipNorm(limit=1.0)))

    def advise(self, finding: Finding) -> str:
        return "Clip the norm of the gradients to 1 before each step."
