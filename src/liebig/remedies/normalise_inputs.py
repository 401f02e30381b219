"""Batch normalisation on the inputs.

Does: standardises every encoded input over the batch, inside the network.
Helps: inputs of very different scale where the encoding cannot be changed.
Misleads: noisy for small batches; next to standardised inputs it changes little.
Source: Ioffe & Szegedy 2015, arXiv:1502.03167.
"""

from liebig.checks.unscaled_inputs import UnscaledInputs
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import dense_network, edit, worth_trying


class NormaliseInputs(Remedy):
    """`network.input_normalisation` on."""

    name = "normalise-inputs"
    answers = (UnscaledInputs,)
    prior = Prior(2.0, -1.0, 7.0, "the same idea as standardising; as a layer not measured")
    changes = ("network.input_normalisation",)
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = dense_network(recipe)
        if network is None or network.input_normalisation or finding is None:
            return ()
        changed = edit(recipe, "network", {"input_normalisation": True})
        return worth_trying("batch normalisation on the inputs", recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Put a batch normalisation before the first layer."
