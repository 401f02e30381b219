"""Cross-fitted target encoding for columns of very many levels.

Does: adds, beside the one-hot of the commonest levels, each level's mean target, estimated on other rows than its own.
Helps: thousands of levels (comic_alignment, 1,585 levels: +41 % of the gap).
Misleads: below a thousand levels it lost (adult, 41 levels: -17 %); without cross-fitting it leaks the target.
Source: Micci-Barreca 2001, SIGKDD Explorations 3(1); scikit-learn's TargetEncoder.
"""

from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.evidence import DataProfile
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import edit, table_inputs, worth_trying
from liebig.remedies.priors import measured

_LEVELS = 1000


class TargetEncoding(Remedy):
    """`inputs.cross_fitted_targets`, where a category has over a thousand levels."""

    name = "target-encoding"
    answers = (Underfitting,)
    prior = measured(0.2, 1, 3, 0)
    changes = ("inputs.cross_fitted_targets",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        inputs, profile = table_inputs(recipe), situation.evidence.get(DataProfile)
        if inputs is None or profile is None or inputs.cross_fitted_targets:
            return ()
        if not any(
            each.kind == "category" and not each.ignored and each.distinct > _LEVELS for each in profile.columns
        ):
            return ()
        changed = edit(recipe, "inputs", {"cross_fitted_targets": True})
        return worth_trying("categories: cross-fitted target encoding", recipe, changed)

    def advise(self, finding: Finding) -> str:
        return (
            "Encode columns of thousands of levels by the target's mean, estimated on other rows than the encoded one."
        )
