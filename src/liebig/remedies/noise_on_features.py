"""Noise on the inputs.

Does: adds normal noise of a twentieth of a standard deviation to the inputs while training.
Helps: networks that learn rows by heart.
Misleads: a tie on 14 of 17 tables.
Source: Bishop 1995, Training with noise is equivalent to Tikhonov regularization; 0.05 on seventeen tables.
"""

from liebig.checks.overfitting import Overfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.remedies.edits import add, worth_trying
from liebig.remedies.priors import measured
from liebig.remedies.scales import are_numbers, are_scaled, own_inputs
from liebig.techniques.batches.feature_noise import FeatureNoise

_SPREAD = 0.05


class NoiseOnFeatures(Remedy):
    """Adds `feature-noise`."""

    name = "noise-on-features"
    answers = (Overfitting,)
    prior = measured(-0.1, 2, 14, 1)
    changes = ("techniques.feature-noise",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if recipe.technique(FeatureNoise) is not None or not are_numbers(recipe, situation):
            return ()
        if own_inputs(recipe) and not are_scaled(recipe, situation.evidence):
            return ()  # the noise is measured in spreads of scaled inputs
        return worth_trying(f"noise of {_SPREAD:g} on the inputs", recipe, add(recipe, FeatureNoise(spread=_SPREAD)))

    def advise(self, finding: Finding) -> str:
        return "Add a little normal noise to the inputs while training."
