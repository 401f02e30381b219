"""Convolutions along time.

Does: exchanges the network for residual convolutions along the steps of a sequence.
Helps: most sequences with a shape to be found somewhere in them; it is quicker than what goes step by step.
Misleads: what counts only in its order over the whole length.
Source: Wang, Yan & Oates 2017, arXiv:1611.06455; Bai, Kolter & Koltun 2018, arXiv:1803.01271.
"""

from liebig.checks.overfitting import Overfitting
from liebig.checks.still_improving import StillImproving
from liebig.checks.too_little_data import TooLittleData
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.data.sequences.inputs import SequenceInputs
from liebig.nets.temporal_cnn import TemporalCNN
from liebig.remedies.edits import exchange, worth_trying
from liebig.remedies.sequence_recipes import HIGHWAY, forecasts, reading_steps


class UseTemporalConvolutions(Remedy):
    """`network` becomes `temporal-cnn`."""

    name = "use-temporal-convolutions"
    answers = (Underfitting, Overfitting, TooLittleData, StillImproving)
    prior = Prior(3.0, -1.0, 7.0, "convolutions along time against an MLP on all steps, the literature's gaps")
    changes = ("network", "inputs.read")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.inputs, SequenceInputs) or isinstance(recipe.network, TemporalCNN):
            return ()
        goes_on = forecasts(recipe, situation)
        network = TemporalCNN(pool="last" if goes_on else "all", highway=HIGHWAY if goes_on else 0)
        stepwise = reading_steps(recipe)
        changed = None if stepwise is None else exchange(stepwise, "network", network)
        return worth_trying("convolutions along time", recipe, changed)

    def advise(self, finding: Finding) -> str:
        return "Where the inputs are sequences, put residual convolutions along time in place of dense layers."
