"""Train longer.

Does: three times the epochs (as a cap, where a rule stops earlier).
Helps: curves that still fall at the end: +56 % of the gap where that is so.
Misleads: elsewhere it loses (-142 % on noisy tables): the one question that divides tables.
Source: three times the epochs on seventeen tables.
"""

from liebig.checks.learning_rate_too_low import LearningRateTooLow
from liebig.checks.still_improving import StillImproving
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.evidence import EpochCurves
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import edit, worth_trying
from liebig.remedies.told import number
from liebig.techniques.stage import StoppingSettings


def _now(finding: Finding) -> str:
    trained = number(finding, "trained")
    return f": {3 * trained:.0f} epochs in place of {trained:.0f}" if trained else ""


class Longer(Remedy):
    """`stopping.epochs` x 3, unless the run was stopped before its cap."""

    name = "longer"
    answers = (StillImproving, Underfitting, LearningRateTooLow)
    cures = (StillImproving,)
    prior = Prior(
        2.0, -1.0, 4.5, "seventeen tables: +56 % of the gap where the curves still fall, -142 % where they do not"
    )
    changes = ("stopping.epochs",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        rule, curves = recipe.stopping, situation.evidence.get(EpochCurves)
        if not isinstance(rule, StoppingSettings):
            return ()
        if curves is not None and rule.chooses and len(curves.train_loss) < curves.planned_epochs:
            return ()
        epochs = rule.epochs * 3
        name = f"longer: {rule.epochs} -> {epochs} epochs"
        return worth_trying(name, recipe, edit(recipe, "stopping", {"epochs": epochs}))

    def advise(self, finding: Finding) -> str:
        return f"Train three times as long{_now(finding)}."
