"""One hidden layer more.

Does: adds a hidden layer of the same width.
Helps: functions made of functions, where width alone does not reach.
Misleads: on tables it wins as often as it loses; below a thousand rows three layers did best.
Source: depth 3 for 2 on seventeen tables.
"""

from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in
from liebig.remedies.priors import measured

_ENOUGH = 8  # layers; what deeper plain networks need is another architecture


class Deeper(Remedy):
    """`network.depth` + 1."""

    name = "deeper"
    answers = (Underfitting,)
    prior = measured(0.0, 2, 12, 3)
    changes = ("network.depth", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        if network is None or network.depth >= _ENOUGH:
            return ()
        name = f"deeper: {network.depth + 1} layers"
        return worth_trying(name, recipe, network.deepened(), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Add a hidden layer."
