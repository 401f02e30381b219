"""Each sequence by its own mean and spread.

Does: standardises every sequence by itself, in place of all of them by one mean and spread; or the other way round.
Helps: where the shape of a sequence counts and its level differs from case to case.
Misleads: where the level or the size is what sets classes apart.
Source: Rakthanmanon et al. 2012; Bagnall et al. 2017 (the archive's series are mostly standardised so).
"""

from liebig.checks.overfitting import Overfitting
from liebig.checks.underfitting import Underfitting
from liebig.checks.unscaled_inputs import UnscaledInputs
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.data.sequences.inputs import SequenceInputs
from liebig.remedies.edits import edit, worth_trying


class ScaleEachSequence(Remedy):
    """`inputs.scale` becomes `each-sequence`, or `standardise` where it is that."""

    name = "scale-each-sequence"
    answers = (Overfitting, Underfitting, UnscaledInputs)
    prior = Prior(0.0, -4.0, 4.0, "by each sequence against by all: it depends on what sets classes apart")
    changes = ("inputs.scale",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.inputs, SequenceInputs) or not situation.kind.is_classification:
            return ()
        other = "standardise" if recipe.inputs.scale == "each-sequence" else "each-sequence"
        return worth_trying(f"scale: {other}", recipe, edit(recipe, "inputs", {"scale": other}))

    def advise(self, finding: Finding) -> str:
        return "Standardise each sequence by its own mean and spread, where its shape counts and not its level."
