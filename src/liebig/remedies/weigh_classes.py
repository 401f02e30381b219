"""Class weights.

Does: weighs each class by the inverse of its share in the loss.
Helps: balanced accuracy, F1 and the recall of rare classes at the usual threshold.
Misleads: for ROC AUC and log-loss it gives nothing (0 of 12 tables won), and probabilities are no longer shares.
Source: King & Zeng 2001, Logistic regression in rare events data; measured on twelve tables.
"""

from liebig.checks.class_imbalance import ClassImbalance
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import edit, worth_trying
from liebig.remedies.priors import measured
from liebig.remedies.seen_data import judged_by_rank_or_probability
from liebig.techniques.objectives.cross_entropy import CrossEntropy


class WeighClasses(Remedy):
    """`objective.class_weights` = balanced, unless the metric judges ranks or probabilities."""

    name = "weigh-classes"
    answers = (ClassImbalance,)
    cures = (ClassImbalance,)
    prior = measured(0.0, 0, 11, 1)
    changes = ("objective.class_weights",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        objective = recipe.objective
        if not isinstance(objective, CrossEntropy) or objective.class_weights != "none" or finding is None:
            return ()
        if judged_by_rank_or_probability(situation.evidence):
            return ()
        changed = edit(recipe, "objective", {"class_weights": "balanced"})
        return worth_trying("class weights: balanced", recipe, changed)

    def advise(self, finding: Finding) -> str:
        return "Weigh each class by the inverse of its share, or move the decision threshold."
