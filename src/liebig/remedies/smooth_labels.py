"""Label smoothing.

Does: trains toward 95 % (and the rest shared) in place of certainty.
Helps: wrong labels and overconfident answers.
Misleads: on tables it won nowhere (0 of 12).
Source: Szegedy et al. 2016, arXiv:1512.00567; 0.1 on twelve tables.
"""

from liebig.checks.label_noise import LabelNoise
from liebig.checks.overfitting import Overfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import edit, worth_trying
from liebig.remedies.priors import measured
from liebig.techniques.objectives.cross_entropy import CrossEntropy

_SHARE = 0.1


class SmoothLabels(Remedy):
    """`objective.label_smoothing` = 0.1 in cross-entropy."""

    name = "smooth-labels"
    answers = (Overfitting, LabelNoise)
    prior = measured(-0.2, 0, 10, 2)
    changes = ("objective.label_smoothing",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        objective = recipe.objective
        if not isinstance(objective, CrossEntropy) or objective.label_smoothing > 0:
            return ()
        changed = edit(recipe, "objective", {"label_smoothing": _SHARE})
        return worth_trying(f"label smoothing {_SHARE:g}", recipe, changed)

    def advise(self, finding: Finding) -> str:
        return "Smooth the labels by 0.1."
