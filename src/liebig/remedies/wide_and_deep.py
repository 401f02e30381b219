"""Wider and deeper at once.

Does: doubles the units and adds a hidden layer.
Helps: where either alone is held back by the other.
Misleads: four times the arithmetic; alone it does not say which of the two was needed.
Source: Tan & Le 2019, arXiv:1905.11946: width and depth are scaled together.
"""

from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in

_WIDEST = 512
_DEEPEST = 6


class WideAndDeep(Remedy):
    """`network.width` x 2 and `network.depth` + 1."""

    name = "wide-and-deep"
    answers = (Underfitting,)
    prior = Prior(
        0.2, -1.6, 2.0, "wider (5 won, 5 lost) and deeper (2 won, 3 lost) on seventeen tables; both not measured"
    )
    changes = ("network.width", "network.depth", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        if network is None or not 0 < network.width <= _WIDEST or network.depth > _DEEPEST:
            return ()
        name = f"wide and deep: {network.depth + 1} layers of {network.width * 2} units"
        wide = network.resized(2.0)
        both = network_in(wide, situation) if wide is not None else None
        changed = both.deepened() if both is not None else None
        return worth_trying(name, recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Double the units of each hidden layer and add a layer."
