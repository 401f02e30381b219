"""AdamW in place of the present optimizer.

Does: AdamW at 3e-3 with decay 0.01, the rate that did best on tables as a constant.
Helps: plain SGD and the optimizers of old, which need a rate tuned to the table.
Misleads: a tuned SGD can equal it.
Source: Loshchilov & Hutter 2019, arXiv:1711.05101; SGD 0.9 against it on seventeen tables, reversed.
"""

from liebig.checks.learning_rate_too_low import LearningRateTooLow
from liebig.checks.not_learning import NotLearning
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import exchange, worth_trying
from liebig.remedies.priors import measured
from liebig.techniques.optimizers.adamw import AdamW

_RATE = 3e-3


class UseAdamW(Remedy):
    """`optimizer` becomes `adamw`."""

    name = "use-adamw"
    answers = (Underfitting, LearningRateTooLow, NotLearning)
    prior = measured(0.5, 6, 7, 4)
    changes = ("optimizer",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if isinstance(recipe.optimizer, AdamW):
            return ()
        changed = exchange(recipe, "optimizer", AdamW(learning_rate=_RATE, weight_decay=0.01))
        return worth_trying("optimizer: AdamW", recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Use AdamW at a rate of 1e-3 to 3e-3."
