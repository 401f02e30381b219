"""Lower the rate when progress stops.

Does: cuts the rate when the stop part has not improved for some epochs.
Helps: a noise floor at a constant rate, when the number of epochs is not known beforehand.
Misleads: it reacts to the noise of a small stop part.
Source: torch's ReduceLROnPlateau; Goodfellow, Bengio & Courville 2016, section 8.3.
"""

from liebig.checks.learning_rate_not_decayed import LearningRateNotDecayed
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import exchange, worth_trying
from liebig.techniques.schedules.constant import Constant
from liebig.techniques.schedules.plateau import Plateau


class ReduceOnPlateau(Remedy):
    """`schedule` becomes `plateau` where it is constant."""

    name = "reduce-on-plateau"
    answers = (LearningRateNotDecayed,)
    prior = Prior(0.2, -0.6, 1.0, "between a constant rate and cosine (7 won, 8 tied, 2 lost); itself not measured")
    changes = ("schedule",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.schedule, Constant):
            return ()
        return worth_trying("lower the rate on a plateau", recipe, exchange(recipe, "schedule", Plateau()))

    def advise(self, finding: Finding) -> str:
        return "Cut the learning rate when the validation loss has not improved for some epochs."
