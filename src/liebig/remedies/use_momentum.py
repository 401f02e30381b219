"""SGD with momentum in place of the present optimizer.

Does: SGD with momentum 0.9 at a rate of 0.1.
Helps: where an adaptive optimizer overfits; won on four of seventeen tables.
Misleads: it diverged on regressions; only its own rate says anything about it.
Source: Sutskever et al. 2013; rate 0.1 on seventeen tables.
"""

from liebig.checks.overfitting import Overfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import exchange, worth_trying
from liebig.remedies.priors import measured
from liebig.techniques.optimizers.momentum import Momentum

_RATE = 0.1


class UseMomentum(Remedy):
    """`optimizer` becomes `momentum`, for classes."""

    name = "use-momentum"
    answers = (Overfitting,)
    prior = measured(-0.5, 4, 7, 6)
    changes = ("optimizer",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if isinstance(recipe.optimizer, Momentum) or not situation.kind.is_classification:
            return ()
        changed = exchange(recipe, "optimizer", Momentum(learning_rate=_RATE))
        return worth_trying("optimizer: SGD with momentum", recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Try SGD with momentum 0.9 at a rate that a range test finds."
