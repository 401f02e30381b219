"""Twice the width.

Does: doubles the units of each hidden layer.
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

_ENOUGH = 1024  # units


class Wider(Remedy):
    """`network.width` x 2."""

    name = "wider"
    answers = (Underfitting, StillImproving)
    prior = measured(0.3, 5, 7, 5)
    changes = ("network.width", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        if network is None or not 0 < network.width < _ENOUGH:
            return ()
        name = f"wider: {network.width * 2} units a layer"
        return worth_trying(name, recipe, network.resized(2.0), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Double the units of each hidden layer."
