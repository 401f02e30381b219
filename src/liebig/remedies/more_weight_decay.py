"""More weight decay.

Does: pulls weights toward zero at every step: decay 1 where it is decoupled from the gradient, ten times the present
    (at least 1e-4) where it is a part of it.
Helps: noisy and small tables (+12 % of the gap); lost on two of seventeen tables.
Misleads: rate x decay x steps is what counts: up to 0.1 nothing is seen at table lengths.
Source: Loshchilov & Hutter 2019, arXiv:1711.05101; decay 1 for 0.01 on seventeen tables.
"""

from liebig.checks.overfitting import Overfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import edit, worth_trying
from liebig.remedies.priors import measured
from liebig.techniques.optimizers.adamw import AdamW
from liebig.techniques.optimizers.muon import Muon
from liebig.techniques.optimizers.schedule_free_adamw import ScheduleFreeAdamW

_DECOUPLED = (AdamW, Muon, ScheduleFreeAdamW)
_STRONG = 1.0
_COUPLED_LEAST, _COUPLED_MOST = 1e-4, 1e-1


class MoreWeightDecay(Remedy):
    """`optimizer.weight_decay` up."""

    name = "more-weight-decay"
    answers = (Overfitting,)
    prior = measured(0.3, 5, 10, 2)
    changes = ("optimizer.weight_decay",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        present = getattr(recipe.optimizer, "weight_decay", None)
        if present is None:
            return ()
        if isinstance(recipe.optimizer, _DECOUPLED):
            decay = _STRONG
        else:
            decay = min(max(10 * present, _COUPLED_LEAST), _COUPLED_MOST)
        if decay <= present:
            return ()
        changed = edit(recipe, "optimizer", {"weight_decay": decay})
        return worth_trying(f"weight decay {present:g} -> {decay:g}", recipe, changed)

    def advise(self, finding: Finding) -> str:
        return "Use weight decay on the weights (about 1 in AdamW for noisy tables, 1e-4 in SGD and Adam)."
