"""A loss that large errors do not own.

Does: squared error near zero, absolute error beyond one standard deviation of the target.
Helps: targets with outliers, judged by the absolute error.
Misleads: under RMSE the large errors are what counts.
Source: Huber 1964, Robust estimation of a location parameter.
"""

from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.non_finite import NonFinite
from liebig.checks.unscaled_targets import UnscaledTargets
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.core.task import TaskKind
from liebig.remedies.edits import exchange, worth_trying
from liebig.techniques.objectives.huber import Huber
from liebig.techniques.objectives.mse import MSE


class HuberLoss(Remedy):
    """`objective` becomes `huber` where it is `mse`."""

    name = "huber-loss"
    answers = (ExplodingGradient, NonFinite, UnscaledTargets)
    prior = Prior(-0.2, -1.5, 0.8, "Huber 1964; on our tables not measured")
    changes = ("objective",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if situation.kind is not TaskKind.REGRESSION or not isinstance(recipe.objective, MSE):
            return ()
        return worth_trying("loss: Huber", recipe, exchange(recipe, "objective", Huber()), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Use the Huber loss, which grows only linearly for large errors."
