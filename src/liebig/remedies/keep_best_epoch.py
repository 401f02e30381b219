"""Keep the best epoch.

Does: trains all epochs and keeps the weights of the best one on the stop part.
Helps: overfitting towards the end, with a schedule that must run its length.
Misleads: the best of many epochs is partly luck on a small stop part.
Source: Prechelt 1998, Early stopping - but when?
"""

from liebig.checks.label_noise import LabelNoise
from liebig.checks.overfitting import Overfitting
from liebig.checks.trained_too_long import TrainedTooLong
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import exchange, worth_trying
from liebig.remedies.told import best_epoch
from liebig.techniques.stopping.best_epoch import BestEpoch
from liebig.techniques.stopping.epochs import FixedEpochs


class KeepBestEpoch(Remedy):
    """`stopping` becomes `best-epoch` where it is a fixed number of epochs."""

    name = "keep-best-epoch"
    answers = (Overfitting, TrainedTooLong, LabelNoise)
    prior = Prior(0.2, -0.6, 1.5, "early stopping at a constant rate: 7 won, 5 tied, 5 lost; itself not measured")
    changes = ("stopping",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.stopping, FixedEpochs):
            return ()
        changed = exchange(recipe, "stopping", BestEpoch(epochs=recipe.stopping.epochs))
        return worth_trying("keep the best epoch", recipe, changed)

    def advise(self, finding: Finding) -> str:
        return f"Save the weights of the best epoch on the validation part and hand those over{best_epoch(finding)}."
