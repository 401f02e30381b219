"""Standardise the inputs.

Does: subtracts each column's mean and divides by its standard deviation, both of the fit rows.
Helps: always where columns come in units of their own; one rate then suits all weights of the first layer.
Misleads: a column with a heavy tail is still far from zero for its outliers; they are kept, since one unbounded linear
    column can decide a table.
Source: LeCun, Bottou, Orr & Müller 1998, Efficient BackProp, section 4.3; the effect is the textbook network's distance to
    the standardised one, measured.
"""

from liebig.checks.not_learning import NotLearning
from liebig.checks.saturated_units import SaturatedUnits
from liebig.checks.unscaled_inputs import UnscaledInputs
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import edit, table_inputs, worth_trying
from liebig.remedies.priors import measured
from liebig.techniques.scalings.divide_by_max import DivideByMax
from liebig.techniques.scalings.none import NoScaling
from liebig.techniques.scalings.standardise import Standardise


class StandardiseInputs(Remedy):
    """`inputs.scale` becomes `standardise` where nothing, or only the maximum, is done so far."""

    name = "standardise-inputs"
    answers = (UnscaledInputs, SaturatedUnits, NotLearning)
    prior = measured(9.4, 13, 3, 1)
    changes = ("inputs.scale",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        inputs = table_inputs(recipe)
        if inputs is None or not isinstance(inputs.scale, (NoScaling, DivideByMax)):
            return ()
        return worth_trying("scale: standardise", recipe, edit(recipe, "inputs", {"scale": Standardise()}))

    def advise(self, finding: Finding) -> str:
        return "Subtract the training mean of each input and divide by its standard deviation."
