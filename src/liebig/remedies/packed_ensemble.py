"""A packed ensemble.

Does: sixteen networks that share their weights and scale what passes through them each in its own way; the answers are
    averaged.
Helps: noisy tables (+20 % of the gap), where sharing weights acts as a regulariser.
Misleads: where longer training pays it loses (-34 %); a step costs four times.
Source: Gorishniy, Kotelnikov & Babenko 2024 (TabM), arXiv:2410.24210.
"""

from liebig.checks.overfitting import Overfitting
from liebig.checks.too_little_data import TooLittleData
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Proposal, Remedy, Situation
from liebig.nets.mlp import MLP
from liebig.nets.packed import PackedMLP
from liebig.remedies.edits import exchange, worth_trying
from liebig.remedies.priors import measured


class PackEnsemble(Remedy):
    """`network` becomes `packed-mlp` with the same fields."""

    name = "packed-ensemble"
    answers = (Overfitting, TooLittleData)
    prior = measured(-0.2, 5, 7, 5)
    changes = ("network",)
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = recipe.network
        if not isinstance(network, MLP):
            return ()
        shared = {name: getattr(network, name) for name in PackedMLP.model_fields if name in MLP.model_fields}
        packed = PackedMLP.model_validate({**shared, "kind": PackedMLP().kind})
        name = f"packed ensemble of {packed.answers}"
        return worth_trying(name, recipe, exchange(recipe, "network", packed), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Train a packed ensemble: shared weights, scalings of its own for each of sixteen answers, averaged."
