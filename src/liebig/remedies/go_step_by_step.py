"""A recurrent network.

Does: exchanges the network for an LSTM, read in both directions, whose forget gates begin open and whose steps begin orthogonal.
Helps: sequences whose order counts as a whole; forecasts that go on from what was just seen.
Misleads: hundreds of steps take long, and what was first is forgotten.
Source: Hochreiter & Schmidhuber 1997; Jozefowicz, Zaremba & Sutskever 2015.
"""

from liebig.checks.overfitting import Overfitting
from liebig.checks.still_improving import StillImproving
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.data.sequences.inputs import SequenceInputs
from liebig.nets.lstm import LSTM
from liebig.nets.recurrent import RecurrentNetwork
from liebig.remedies.edits import add, exchange, worth_trying
from liebig.remedies.sequence_recipes import HIGHWAY, forecasts, reading_steps
from liebig.techniques.gradients.clip_norm import ClipNorm
from liebig.techniques.initialisations.forget_bias import ForgetBias
from liebig.techniques.initialisations.orthogonal_steps import OrthogonalSteps


class GoStepByStep(Remedy):
    """`network` becomes `lstm`."""

    name = "go-step-by-step"
    answers = (Underfitting, Overfitting, StillImproving)
    prior = Prior(1.0, -3.0, 5.0, "an LSTM against convolutions along time: now one, now the other")
    changes = (
        "network",
        "inputs.read",
        "techniques.forget-bias",
        "techniques.orthogonal-steps",
        "techniques.clip-norm",
    )
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.inputs, SequenceInputs) or isinstance(recipe.network, RecurrentNetwork):
            return ()
        highway = HIGHWAY if forecasts(recipe, situation) else 0
        pool = "last" if highway else "all"
        network = LSTM(width=64, bidirectional=not highway, dropout=0.1, pool=pool, highway=highway)
        changed = reading_steps(recipe)
        changed = None if changed is None else exchange(changed, "network", network)
        for technique in (OrthogonalSteps(), ForgetBias(), ClipNorm(limit=1.0)):
            changed = None if changed is None else add(changed, technique)
        return worth_trying("step by step: LSTM", recipe, changed)

    def advise(self, finding: Finding) -> str:
        return "Where the order of a sequence counts, read it by an LSTM whose forget gates begin open, with clipped gradients."
