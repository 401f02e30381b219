"""Balanced batches.

Does: draws rare classes as often as common ones.
Helps: the recall of rare classes; every batch holds some of each class.
Misleads: rare rows are seen again and again, and probabilities are no longer shares.
Source: Buda, Maki & Mazurowski 2018, arXiv:1710.05381.
"""

from liebig.checks.class_imbalance import ClassImbalance
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import exchange, worth_trying
from liebig.techniques.batching.balanced import Balanced
from liebig.techniques.batching.shuffled import Shuffled


class BalanceBatches(Remedy):
    """`batching` becomes `balanced` at the same size."""

    name = "balance-batches"
    answers = (ClassImbalance,)
    cures = (ClassImbalance,)
    prior = Prior(0.0, -1.0, 1.0, "Buda et al. 2018 on images; as class weights (0 won, 11 tied, 1 lost) on tables")
    changes = ("batching",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        batching = recipe.batching
        if not situation.kind.is_classification or not isinstance(batching, Shuffled) or finding is None:
            return ()
        if batching.accumulate > 1:
            return ()
        return worth_trying("balanced batches", recipe, exchange(recipe, "batching", Balanced(size=batching.size)))

    def advise(self, finding: Finding) -> str:
        return "Draw rows of rare classes as often as those of common ones."
