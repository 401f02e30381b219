"""The range that suits the activation.

Does: brings every number to [0, 1] before sigmoid units and to [-1, 1] before tanh units.
Helps: units with two flat ends, which saturate on inputs in the hundreds.
Misleads: the range is set by the two most extreme fit rows.
Source: LeCun, Bottou, Orr & Müller 1998, Efficient BackProp, section 4.3.
"""

from typing import Final

from liebig.checks.saturated_units import SaturatedUnits
from liebig.checks.unscaled_inputs import UnscaledInputs
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in
from liebig.remedies.scales import Range, are_scaled, own_inputs, scaled, scales_now

_SUITING: Final[dict[str, tuple[Range, str]]] = {"sigmoid": ("min-max", "0 to 1"), "tanh": ("symmetric", "-1 to 1")}


class RangeForActivation(Remedy):
    """`inputs.scale` becomes `min-max` for sigmoid and `symmetric` for tanh; other activations have no ends."""

    name = "range-for-activation"
    answers = (SaturatedUnits, UnscaledInputs)
    prior = Prior(
        4.0, 0.0, 9.0, "raw against scaled inputs on seventeen tables; ranges for saturating units not measured"
    )
    changes = ("inputs.scale", "network.edits")

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        suiting = _SUITING.get(network.activation) if network is not None else None
        if suiting is None or (
            own_inputs(recipe) and (finding is None or scales_now(recipe) or are_scaled(recipe, situation.evidence))
        ):
            return ()
        scale, range_ = suiting
        return worth_trying(f"scale: {range_}", recipe, scaled(recipe, situation, scale))

    def advise(self, finding: Finding) -> str:
        return "Bring the inputs to [0, 1] before sigmoid units and to [-1, 1] before tanh units."
