"""Standardise the target.

Does: trains on the target minus its mean over its standard deviation, both of the fit rows; predictions are turned back.
Helps: every regression whose target is not already near zero mean and unit spread.
Misleads: nothing is lost but the unit of the training loss.
Source: measured: a target that is not scaled lost on five of five tables, by eleven block standard deviations.
"""

from liebig.checks.unscaled_targets import UnscaledTargets
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.core.task import TaskKind
from liebig.remedies.edits import edit, worth_trying
from liebig.remedies.priors import measured
from liebig.remedies.scales import target_is_raw
from liebig.remedies.told import number
from liebig.techniques.targets.standardise import StandardisedTarget


class StandardiseTarget(Remedy):
    """`inputs.target` becomes `standardise`, for regression."""

    name = "standardise-target"
    answers = (UnscaledTargets,)
    cures = (UnscaledTargets,)
    prior = measured(11.2, 5, 0, 0)
    changes = ("inputs.target",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if situation.kind is not TaskKind.REGRESSION or not target_is_raw(recipe):
            return ()
        return worth_trying("target: standardise", recipe, edit(recipe, "inputs", {"target": StandardisedTarget()}))

    def advise(self, finding: Finding) -> str:
        mean, scale = number(finding, "mean"), number(finding, "scale")
        found = f" (mean {mean:.3g}, standard deviation {scale:.3g})" if mean is not None and scale else ""
        return f"Subtract the training mean of the target and divide by its standard deviation{found}; turn predictions back."
