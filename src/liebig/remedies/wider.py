"""Twice the width.

Does: doubles the units of each hidden layer; layers of a handful of units become 64 wide.
Helps: tables where longer training pays (+28 % of the gap at 256, +44 % at 512).
Misleads: on noisy tables the same step loses as much (-17 %, -25 %); a step costs up to three times.
Source: widths 256 and 512 for 128 on seventeen tables.
"""

from liebig.checks.still_improving import StillImproving
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in
from liebig.remedies.priors import measured

_ENOUGH, _USUAL = 1024, 64  # units


class Wider(Remedy):
    """`network.width` x 2, or to 64 where it is below 32."""

    name = "wider"
    answers = (Underfitting, StillImproving)
    cures = (Underfitting,)
    prior = measured(0.3, 5, 7, 5)
    changes = ("network.width", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        if network is None or not 0 < network.width < _ENOUGH:
            return ()
        # A bottleneck is opened at once: doubling it would take a trial for each time.
        factor = _USUAL / network.width if network.width < _USUAL // 2 else 2.0
        name = f"wider: {round(network.width * factor)} units a layer"
        return worth_trying(name, recipe, network.resized(factor), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Double the units of each hidden layer."
