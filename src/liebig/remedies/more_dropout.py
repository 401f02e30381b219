"""More dropout.

Does: the next stronger of 0.1, 0.3 and 0.5 on the hidden units.
Helps: noisy tables with fixed epochs, small tables (0.5: +7 % of the gap).
Misleads: where longer training pays each step up loses (-49 %, -174 %); early stopping does the same work for less.
Source: Srivastava et al. 2014, JMLR 15; 0.3 for 0.1 on seventeen tables.
"""

from liebig.checks.overfitting import Overfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Proposal, Remedy, Situation
from liebig.remedies.edits import dense_network, edit, worth_trying
from liebig.remedies.priors import measured

_STEPS = (0.1, 0.3, 0.5)


class MoreDropout(Remedy):
    """`network.dropout` one step up."""

    name = "more-dropout"
    answers = (Overfitting,)
    prior = measured(-0.2, 2, 9, 6)
    changes = ("network.dropout",)
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = dense_network(recipe)
        share = next((each for each in _STEPS if network is not None and each > network.dropout), None)
        if network is None or share is None:
            return ()
        name = f"dropout {network.dropout:g} -> {share:g}"
        return worth_trying(name, recipe, edit(recipe, "network", {"dropout": share}))

    def advise(self, finding: Finding) -> str:
        return "Drop 10 to 50 % of the hidden units while training."
