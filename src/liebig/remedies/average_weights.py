"""Average the weights while training.

Does: keeps an exponential moving average of the weights, with a horizon of one epoch, and hands that over.
Helps: a constant rate: the noise floor averages out (11 won, none lost), and training can be stopped at any moment.
Misleads: together with cosine it gives nothing.
Source: Polyak & Juditsky 1992; on tables against constant rates, seventeen tables.
"""

from liebig.checks.learning_rate_not_decayed import LearningRateNotDecayed
from liebig.checks.oscillating_loss import OscillatingLoss
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import add, worth_trying
from liebig.remedies.priors import measured
from liebig.techniques.averaging.ema import EMA


class AverageWeights(Remedy):
    """Adds `ema` with a horizon of one epoch."""

    name = "average-weights"
    answers = (LearningRateNotDecayed, OscillatingLoss)
    prior = measured(1.0, 11, 6, 0)
    changes = ("techniques",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if recipe.technique(EMA) is not None:
            return ()
        return worth_trying("average the weights (EMA)", recipe, add(recipe, EMA(horizon=1.0)))

    def advise(self, finding: Finding) -> str:
        return "Keep an exponential moving average of the weights over about one epoch and evaluate with it."
