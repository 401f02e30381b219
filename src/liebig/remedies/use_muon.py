"""Muon in place of the present optimizer.

Does: orthogonalises the momentum of each weight matrix before the step; AdamW for all else.
Helps: tables where longer training pays (letter, california_housing).
Misleads: learns and overfits faster; without early stopping it lost on eight of seventeen tables. A step costs twice.
Source: Jordan 2024, Muon; under early stopping on seventeen tables (4 won, 9 tied, 4 lost).
"""

from liebig.checks.still_improving import StillImproving
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import exchange, worth_trying
from liebig.remedies.priors import measured
from liebig.techniques.optimizers.muon import Muon
from liebig.techniques.stage import StoppingSettings

_RATE = 3e-3


class UseMuon(Remedy):
    """`optimizer` becomes `muon`, where the stopping rule chooses."""

    name = "use-muon"
    answers = (Underfitting, StillImproving)
    prior = measured(0.0, 4, 9, 4)
    changes = ("optimizer",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        chooses = isinstance(recipe.stopping, StoppingSettings) and recipe.stopping.chooses
        if isinstance(recipe.optimizer, Muon) or not chooses:
            return ()
        changed = exchange(recipe, "optimizer", Muon(learning_rate=_RATE))
        return worth_trying("optimizer: Muon", recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Try Muon on the weight matrices, with early stopping."
