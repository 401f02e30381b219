"""Batch size and rate together.

Does: brings the batch to where the gradient's noise and signal are about equal, and moves the rate with it: in proportion for
    gradient descent, by the square root for optimizers that scale their steps.
Helps: batches far above the gradient's noise scale, which waste rows, and far below it, which waste steps.
Misleads: the noise scale grows while training; what is small late may have been right early.
Source: McCandlish et al. 2018, arXiv:1812.06162; Goyal et al. 2017, arXiv:1706.02677 (proportional); Malladi et al. 2022,
    arXiv:2205.10287 (square root for Adam).
"""

from math import sqrt

from liebig.checks.batch_size import BatchSize
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import at_rate, edit, rate_of, worth_trying
from liebig.remedies.told import number
from liebig.techniques.optimizers.momentum import Momentum
from liebig.techniques.optimizers.nesterov import Nesterov
from liebig.techniques.optimizers.sgd import SGD

_FAR = 8.0  # times by which a batch changes at most in one trial
_LEAST, _BATCHES = 8, 4  # rows of a batch; batches that an epoch keeps


class BatchAndRate(Remedy):
    """`batching.size` becomes what the finding advises, `optimizer.learning_rate` with it. Only in answer to a finding."""

    name = "batch-and-rate"
    answers = (BatchSize,)
    prior = Prior(0.5, -0.8, 3.0, "batch 64 for 128 on twelve tables: 5 won, 6 tied, 1 lost; larger steps not measured")
    changes = ("batching.size", "optimizer.learning_rate")

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        size = getattr(recipe.batching, "size", None)
        advised = number(finding, "advised") if finding is not None else None
        if size is None or not advised:
            return ()
        wanted = round(min(max(advised, size / _FAR), size * _FAR))
        wanted = max(_LEAST, min(wanted, situation.rows // _BATCHES))
        if wanted == size:
            return ()
        changed, rate = edit(recipe, "batching", {"size": wanted}), rate_of(recipe)
        ratio = wanted / size
        if changed is not None and rate is not None:
            factor = ratio if isinstance(recipe.optimizer, (SGD, Momentum, Nesterov)) else sqrt(ratio)
            changed = at_rate(changed, float(f"{rate * factor:.3g}"))
        return worth_trying(f"batch {size} -> {wanted} rows, the rate with it", recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        advised = number(finding, "advised")
        size = (
            f"about {advised:,.0f} rows" if advised else "the size at which noise and signal of the gradient are equal"
        )
        return f"Take batches of {size}, and find the rate anew with it."
