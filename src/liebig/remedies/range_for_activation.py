"""The range that suits the activation.

Does: brings every number to [0, 1] before sigmoid units and to [-1, 1] before tanh units.
Helps: units with two flat ends, which saturate on inputs in the hundreds.
Misleads: the range is set by the two most extreme fit rows.
Source: LeCun, Bottou, Orr & Müller 1998, Efficient BackProp, section 4.3.
"""

from liebig.checks.saturated_units import SaturatedUnits
from liebig.checks.unscaled_inputs import UnscaledInputs
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.core.settings import Settings
from liebig.nets.activations.sigmoid import Sigmoid
from liebig.nets.activations.tanh import Tanh
from liebig.remedies.edits import dense_network, edit, table_inputs, worth_trying
from liebig.techniques.scalings.min_max import MinMax
from liebig.techniques.scalings.symmetric import Symmetric


def _suiting(activation: Settings) -> tuple[Settings, str] | None:
    if isinstance(activation, Sigmoid):
        return MinMax(), "0 to 1"
    return (Symmetric(), "-1 to 1") if isinstance(activation, Tanh) else None


class RangeForActivation(Remedy):
    """`inputs.scale` becomes `min-max` for sigmoid and `symmetric` for tanh; other activations have no ends."""

    name = "range-for-activation"
    answers = (SaturatedUnits, UnscaledInputs)
    prior = Prior(
        4.0, 0.0, 9.0, "raw against scaled inputs on seventeen tables; ranges for saturating units not measured"
    )
    changes = ("inputs.scale",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        inputs, network = table_inputs(recipe), dense_network(recipe)
        suiting = _suiting(network.activation) if network is not None else None
        if inputs is None or suiting is None:
            return ()
        scale, range_ = suiting
        return worth_trying(f"scale: {range_}", recipe, edit(recipe, "inputs", {"scale": scale}))

    def advise(self, finding: Finding) -> str:
        return "Bring the inputs to [0, 1] before sigmoid units and to [-1, 1] before tanh units."
