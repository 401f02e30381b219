"""Less dropout.

Does: the next weaker of 0.3, 0.1 and none on the hidden units.
Helps: networks that do not even fit what they are shown; tables where longer training pays.
Misleads: on noisy tables it lets overfitting in (-12 % of the gap).
Source: dropout 0 for 0.1 on seventeen tables.
"""

from liebig.checks.over_regularised import OverRegularised
from liebig.checks.still_improving import StillImproving
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in
from liebig.remedies.priors import measured

_STEPS = (0.3, 0.1, 0.0)


class LessDropout(Remedy):
    """`network.dropout` one step down."""

    name = "less-dropout"
    answers = (Underfitting, StillImproving, OverRegularised)
    prior = measured(-0.2, 2, 11, 4)
    changes = ("network.dropout", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        share = next((each for each in _STEPS if network is not None and each < network.dropout), None)
        if network is None or share is None:
            return ()
        return worth_trying(f"dropout {network.dropout:g} -> {share:g}", recipe, network.dropping(share))

    def advise(self, finding: Finding) -> str:
        return "Lower the dropout rate, or leave dropout out."
