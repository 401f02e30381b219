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
from liebig.remedies.edits import dense_network, edit, worth_trying

_WIDEST = 512
_DEEPEST = 6


class WideAndDeep(Remedy):
    """`network.width` x 2 and `network.depth` + 1."""

    name = "wide-and-deep"
    answers = (Underfitting,)
    prior = Prior(
        0.2, -1.6, 2.0, "wider (5 won, 5 lost) and deeper (2 won, 3 lost) on seventeen tables; both not measured"
    )
    changes = ("network.width", "network.depth")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = dense_network(recipe)
        if network is None or network.width > _WIDEST or network.depth > _DEEPEST:
            return ()
        units, layers = network.width * 2, network.depth + 1
        changed = edit(recipe, "network", {"width": units, "depth": layers})
        return worth_trying(f"wide and deep: {layers} layers of {units} units", recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Double the units of each hidden layer and add a layer."
