"""Mixup where positives are rare.

Does: trains on blends of two rows and of their targets.
Helps: under 5 % positives: +29 % and +79 % of the gap on the two tables that have so few.
Misleads: elsewhere it lost on six of seventeen tables.
Source: Zhang et al. 2018, arXiv:1710.09412 (Beta 0.4).
"""

from liebig.checks.class_imbalance import ClassImbalance
from liebig.checks.overfitting import Overfitting
from liebig.checks.too_little_data import TooLittleData
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import add, worth_trying
from liebig.remedies.priors import measured
from liebig.remedies.scales import are_numbers
from liebig.remedies.seen_data import rarest_share
from liebig.techniques.batches.mixup import Mixup

_RARE = 0.05


class MixRows(Remedy):
    """Adds `mixup`, where a class has under 5 % of the rows or in answer to overfitting."""

    name = "mix-rows"
    answers = (ClassImbalance, Overfitting, TooLittleData)
    prior = measured(-0.4, 2, 9, 6)
    changes = ("techniques.mixup",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if recipe.technique(Mixup) is not None or not are_numbers(recipe, situation):
            return ()
        share = rarest_share(situation.evidence)
        if finding is None and (share is None or share >= _RARE):
            return ()
        return worth_trying("mixup", recipe, add(recipe, Mixup(alpha=0.4)))

    def advise(self, finding: Finding) -> str:
        return "Train on blends of pairs of rows and of their targets (mixup, Beta 0.4)."
