"""Piecewise-linear numbers beside the scaled ones.

Does: gives each number as bins, filled up to where it lies, beside the scaled number itself.
Helps: thresholds and steps in a column, which a smooth network learns slowly; the largest single gain on tables.
Misleads: word counts and other columns of few values collapse; with hundreds of columns it costs width for nothing.
Source: Gorishniy, Rubachev & Babenko 2022, arXiv:2203.05556, section 3.2.
"""

from liebig.checks.underfitting import Underfitting
from liebig.checks.unscaled_inputs import UnscaledInputs
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import edit, table_inputs, worth_trying
from liebig.remedies.priors import measured
from liebig.techniques.numbers.piecewise_linear import PiecewiseLinear

_WIDE = 200  # from so many columns on, the bins cost more than they give


class PiecewiseLinearNumbers(Remedy):
    """`inputs.numbers` becomes `piecewise-linear`, unless the table is wide."""

    name = "piecewise-linear-numbers"
    answers = (Underfitting, UnscaledInputs)
    prior = measured(3.1, 11, 4, 1)
    changes = ("inputs.numbers",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        inputs = table_inputs(recipe)
        wide = situation.columns > min(_WIDE, situation.rows)
        if inputs is None or wide or isinstance(inputs.numbers, PiecewiseLinear):
            return ()
        return worth_trying("numbers: piecewise linear", recipe, edit(recipe, "inputs", {"numbers": PiecewiseLinear()}))

    def advise(self, finding: Finding) -> str:
        return "Give each number as piecewise-linear bins (32, at its quantiles) beside the scaled number."
