"""What a sequence is like, in place of its steps.

Does: makes a few dozen numbers of each sequence (mean, spread, slope, waves, likeness of neighbours) and trains an MLP on them.
Helps: few sequences, or of very unlike length, whose class is told by how they are rather than by when something happens; it is
    many times quicker than what reads steps.
Misleads: what only order tells is lost.
Source: Christ et al. 2018 (tsfresh); Lubba et al. 2019, arXiv:1901.10200 (catch22).
"""

from liebig.checks.overfitting import Overfitting
from liebig.checks.too_little_data import TooLittleData
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.data.sequences.inputs import SequenceInputs
from liebig.remedies.edits import worth_trying
from liebig.remedies.sequence_recipes import forecasts, reading_summaries


class SummariseSequences(Remedy):
    """`inputs.read` becomes `summary`, `network` an MLP."""

    name = "summarise-sequences"
    answers = (Overfitting, TooLittleData, Underfitting)
    prior = Prior(1.5, -3.0, 6.0, "an MLP on summaries against one on all steps, the literature's gaps")
    changes = ("inputs.read", "network", "techniques")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if (
            not isinstance(recipe.inputs, SequenceInputs)
            or recipe.inputs.read == "summary"
            or forecasts(recipe, situation)
        ):
            return ()
        return worth_trying("summaries of the sequences", recipe, reading_summaries(recipe, 128, 0.2))

    def advise(self, finding: Finding) -> str:
        return "With few sequences, train on numbers that summarise each (mean, spread, slope, waves) in place of its steps."
