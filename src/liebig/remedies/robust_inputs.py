"""Scale by the quartiles and clip smoothly.

Does: subtracts the median, divides by the distance of the quartiles, and bends what is far out.
Helps: a few extreme values that would squeeze all others together.
Misleads: a column whose extremes carry the answer loses them.
Source: Holzmüller, Grinsztajn & Steinwart 2024 (RealMLP), arXiv:2407.04491, section 3.
"""

from liebig.checks.unscaled_inputs import UnscaledInputs
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import edit, table_inputs, worth_trying
from liebig.remedies.priors import measured
from liebig.techniques.scalings.robust import Robust


class RobustInputs(Remedy):
    """`inputs.scale` becomes `robust`."""

    name = "robust-inputs"
    answers = (UnscaledInputs,)
    prior = measured(0.5, 4, 10, 3)
    changes = ("inputs.scale",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        inputs = table_inputs(recipe)
        if inputs is None or isinstance(inputs.scale, Robust):
            return ()
        return worth_trying("scale: robust", recipe, edit(recipe, "inputs", {"scale": Robust()}))

    def advise(self, finding: Finding) -> str:
        return "Subtract each input's median, divide by the distance of its quartiles, and clip smoothly."
