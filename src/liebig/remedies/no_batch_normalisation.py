"""Another normalisation where batches are tiny.

Does: layer normalisation (group normalisation in networks of one's own) in place of batch normalisation.
Helps: batches of a handful of rows, whose variance is noise (batch of 2: accuracy .80 against .97).
Misleads: with batches from 32 up batch normalisation is the stronger of the two.
Source: Wu & He 2018, arXiv:1803.08494, figure 1.
"""

from liebig.checks.tiny_batch_normalisation import TinyBatchNormalisation
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in

_TINY = 16  # rows


class NoBatchNormalisation(Remedy):
    """`network.normalisation` becomes `layer` where it is `batch` and batches have fewer than sixteen rows."""

    name = "no-batch-normalisation"
    answers = (TinyBatchNormalisation,)
    prior = Prior(2.0, 0.0, 5.0, "Wu & He 2018, figure 1, and our own fault benchmark at a batch of two")
    changes = ("network.normalisation", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        if network is None or not network.has_batch_statistics:
            return ()
        if getattr(recipe.batching, "size", _TINY) >= _TINY:
            return ()
        changed = network.without_batch_statistics()
        return worth_trying("layer or group for batch normalisation", recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "With batches this small use layer or group normalisation in place of batch normalisation."
