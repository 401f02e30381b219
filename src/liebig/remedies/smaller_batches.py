"""Smaller batches.

Does: half of the rows in a batch, and so twice the steps.
Helps: short trainings, which end for want of steps: batch 64 won on five of twelve tables and lost on one.
Misleads: a step costs nearly the same, so an epoch costs twice.
Source: Masters & Luschi 2018, arXiv:1804.07612; batch 64 on twelve tables.
"""

from liebig.checks.still_improving import StillImproving
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import edit, worth_trying
from liebig.remedies.priors import measured

_LEAST = 32


class SmallerBatches(Remedy):
    """`batching.size` / 2, down to 32."""

    name = "smaller-batches"
    answers = (StillImproving, Underfitting)
    prior = measured(0.4, 5, 6, 1)
    changes = ("batching.size",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        size = getattr(recipe.batching, "size", None)
        if size is None or size // 2 < _LEAST:
            return ()
        name = f"smaller batches: {size} -> {size // 2} rows"
        return worth_trying(name, recipe, edit(recipe, "batching", {"size": size // 2}), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Use smaller batches: more steps from the same rows."
