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
from liebig.remedies.edits import worth_trying
from liebig.remedies.priors import measured
from liebig.remedies.scales import are_scaled, own_inputs, scaled, scales_now
from liebig.remedies.told import text


class StandardiseInputs(Remedy):
    """`inputs.scale` becomes `standardise` where nothing, or only the maximum, is done so far; a network of one's own gets a
    first layer of constants."""

    name = "standardise-inputs"
    answers = (UnscaledInputs, SaturatedUnits, NotLearning)
    cures = (UnscaledInputs,)
    prior = measured(9.4, 13, 3, 1)
    changes = ("inputs.scale", "network.edits")

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        # Inputs of one's own are scaled for a reason only: nobody knows beforehand that they are raw.
        if scales_now(recipe) or (own_inputs(recipe) and (finding is None or are_scaled(recipe, situation.evidence))):
            return ()
        return worth_trying("scale: standardise", recipe, scaled(recipe, situation, "standardise"))

    def advise(self, finding: Finding) -> str:
        names = text(finding, "names")
        first = f" (above all of {names})" if names else ""
        return f"Subtract the training mean of each input and divide by its standard deviation{first}."
