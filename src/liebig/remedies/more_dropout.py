"""More dropout.

Does: the next stronger of 0.1, 0.3 and 0.5 on the hidden units.
Helps: noisy tables with fixed epochs, small tables (0.5: +7 % of the gap); wrong labels, which are then learnt by heart later
    while what they share is learnt as soon.
Misleads: where longer training pays each step up loses (-49 %, -174 %); early stopping does the same work for less.
Source: Srivastava et al. 2014, JMLR 15; 0.3 for 0.1 on seventeen tables; on wrong labels Arpit et al. 2017, arXiv:1706.05394
    (of the regularisers tried dropout hinders learning by heart most).
"""

from liebig.checks.label_noise import LabelNoise
from liebig.checks.overfitting import Overfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in
from liebig.remedies.priors import measured

_STEPS = (0.1, 0.3, 0.5)


class MoreDropout(Remedy):
    """`network.dropout` one step up."""

    name = "more-dropout"
    answers = (Overfitting, LabelNoise)
    prior = measured(-0.2, 2, 9, 6)
    changes = ("network.dropout", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        share = next((each for each in _STEPS if network is not None and each > network.dropout), None)
        if network is None or share is None:
            return ()
        return worth_trying(f"dropout {network.dropout:g} -> {share:g}", recipe, network.dropping(share))

    def advise(self, finding: Finding) -> str:
        return "Drop 10 to 50 % of the hidden units while training."
