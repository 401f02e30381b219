"""The logarithm of the target.

Does: trains on the logarithm of a positive target, standardised; predictions are turned back.
Helps: targets over several orders of magnitude that are judged in relative terms (MAE, log errors).
Misleads: under RMSE it lost on four of five tables, since large values are what RMSE counts.
Source: Box & Cox 1964; measured on five tables.
"""

from liebig.checks.unscaled_targets import UnscaledTargets
from liebig.core.check import Finding
from liebig.core.evidence import DataProfile
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.core.task import TaskKind
from liebig.remedies.edits import edit, table_inputs, worth_trying
from liebig.remedies.priors import measured
from liebig.techniques.targets.log import LogTarget

_TAIL = 8.0  # (q99.9 - median) over the distance of the quartiles; a normal target has 2.3


class LogOfTarget(Remedy):
    """`inputs.target` becomes `log`, for a positive target with a heavy tail."""

    name = "log-target"
    answers = (UnscaledTargets,)
    prior = measured(-4.2, 0, 1, 4)
    changes = ("inputs.target",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        inputs, profile = table_inputs(recipe), situation.evidence.get(DataProfile)
        if situation.kind is not TaskKind.REGRESSION or inputs is None or profile is None:
            return ()
        if not (profile.target.low > 0 and profile.target.tail > _TAIL):
            return ()
        return worth_trying("target: logarithm", recipe, edit(recipe, "inputs", {"target": LogTarget()}))

    def advise(self, finding: Finding) -> str:
        return "Train on the logarithm of the target when its relative error matters, and turn predictions back."
