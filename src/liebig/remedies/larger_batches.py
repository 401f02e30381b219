"""Larger batches.

Does: four times the rows in a batch.
Helps: losses that swing beyond what the rate explains; fewer and cheaper steps.
Misleads: steps count, not batches: at the same epochs it lost on eight of twelve tables.
Source: McCandlish et al. 2018, arXiv:1812.06162; batch 1,024 on twelve tables.
"""

from liebig.checks.learning_rate_not_decayed import LearningRateNotDecayed
from liebig.checks.learning_rate_too_high import LearningRateTooHigh
from liebig.checks.oscillating_loss import OscillatingLoss
from liebig.checks.tiny_batch_normalisation import TinyBatchNormalisation
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import edit, worth_trying
from liebig.remedies.priors import measured
from liebig.remedies.told import number

_FACTOR = 4
_USABLE = 32  # rows from which a batch's variance is steady


class LargerBatches(Remedy):
    """`batching.size` x 4 (at least 32 beside batch normalisation), as long as an epoch keeps eight batches. Only in answer to a finding."""

    name = "larger-batches"
    answers = (LearningRateTooHigh, LearningRateNotDecayed, OscillatingLoss, TinyBatchNormalisation)
    prior = measured(-7.0, 2, 2, 8)
    changes = ("batching.size",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        size = getattr(recipe.batching, "size", None)
        if finding is None or size is None:
            return ()
        tiny = isinstance(finding.check, TinyBatchNormalisation)
        wanted = max(_USABLE, size * _FACTOR) if tiny else size * _FACTOR
        if (tiny and size >= _USABLE) or wanted * 8 > situation.rows:
            return ()
        name = f"larger batches: {size} -> {wanted} rows"
        return worth_trying(name, recipe, edit(recipe, "batching", {"size": wanted}), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        batch = number(finding, "batch")
        if isinstance(finding.check, TinyBatchNormalisation) and batch:
            return f"Use batches of {_USABLE} rows and more in place of {batch:.0f}, and look for the rate anew."
        return "Use larger batches and look for the rate anew."
