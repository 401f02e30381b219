"""Train shorter.

Does: half of the epochs, or those up to the best epoch and a quarter more where the curves say so.
Helps: a best epoch that lies early; a schedule then decays where it should.
Misleads: where the curves still fall it loses (-68 % of the gap).
Source: half of the epochs on seventeen tables.
"""

from liebig.checks.overfitting import Overfitting
from liebig.checks.trained_too_long import TrainedTooLong
from liebig.core.check import Finding
from liebig.core.evidence import EpochCurves
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import edit, worth_trying
from liebig.remedies.priors import measured
from liebig.remedies.told import best_epoch
from liebig.techniques.stage import StoppingSettings


class Shorter(Remedy):
    """`stopping.epochs` / 2, or 1.25 x the best epoch where that is fewer still. Only in answer to a finding."""

    name = "shorter"
    answers = (TrainedTooLong, Overfitting)
    prior = measured(-0.9, 2, 7, 8)
    changes = ("stopping.epochs",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        rule, curves = recipe.stopping, situation.evidence.get(EpochCurves)
        if finding is None or not isinstance(rule, StoppingSettings) or rule.epochs < 2:
            return ()
        epochs = rule.epochs // 2
        if curves is not None and rule.chooses:
            epochs = max(1, min(epochs, round(1.25 * (curves.selected + 1))))
        name = f"shorter: {rule.epochs} -> {epochs} epochs"
        return worth_trying(name, recipe, edit(recipe, "stopping", {"epochs": epochs}))

    def advise(self, finding: Finding) -> str:
        return f"Train for half of the epochs{best_epoch(finding)}."
