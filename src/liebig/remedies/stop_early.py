"""Stop early.

Does: stops when the stop part has not improved for eight epochs and keeps the best weights; at least 45 epochs are allowed. On
    few rows both are longer, so that the wait is at least 64 steps, and 360 are allowed.
Helps: overfitting and trainings of the wrong length: the table itself says when it has learnt enough.
Misleads: the stop part costs rows; below a thousand rows it cost more than stopping gave.
Source: Prechelt 1998, Early stopping - but when?; constant rate with averaging on seventeen tables.
"""

from liebig.checks.label_noise import LabelNoise
from liebig.checks.overfitting import Overfitting
from liebig.checks.still_improving import StillImproving
from liebig.checks.trained_too_long import TrainedTooLong
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import exchange, worth_trying
from liebig.remedies.priors import measured
from liebig.remedies.told import best_epoch
from liebig.techniques.stage import BatchingSettings, StoppingSettings
from liebig.techniques.stopping.early_stopping import EarlyStopping

_CAP = 45
_PATIENCE = 8
#: What eight and 45 epochs were in steps where they were measured best, on a thousand rows in batches of 128. An epoch of one
#: batch is one step: eight of those wait for noise to pass.
_STEPS = 8


class StopEarly(Remedy):
    """`stopping` becomes `early-stopping`, patience 8, at least 45 epochs allowed; in proportion longer where an epoch has fewer
    than eight steps."""

    name = "stop-early"
    answers = (Overfitting, TrainedTooLong, StillImproving, LabelNoise)
    prior = measured(0.6, 5, 10, 2)
    changes = ("stopping",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        rule = recipe.stopping
        if isinstance(rule, EarlyStopping) or not isinstance(rule, StoppingSettings):
            return ()
        longer = max(1.0, _STEPS / _steps_of(recipe, situation))
        epochs = max(round(_CAP * longer), rule.epochs)
        stopping = EarlyStopping(epochs=epochs, patience=round(_PATIENCE * longer))
        name = f"early stopping, at most {stopping.epochs} epochs"
        return worth_trying(name, recipe, exchange(recipe, "stopping", stopping))

    def advise(self, finding: Finding) -> str:
        return f"Stop when the validation loss has not improved for eight epochs and keep the best weights{best_epoch(finding)}."


def _steps_of(recipe: Recipe, situation: Situation) -> int:
    """Steps of an epoch."""
    batching = recipe.batching
    if not isinstance(batching, BatchingSettings):
        return _STEPS
    return max(1, -(-batching.drawn(situation.rows) // (batching.size * batching.accumulates)))
