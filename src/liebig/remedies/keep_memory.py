"""Memory over many steps.

Does: begins recurrent layers with open forget gates and orthogonal steps, lets the answer be made of all states, and clips what
    grows; a plain recurrent network or a GRU becomes an LSTM first.
Helps: gradients that fade or grow on their way back through time.
Misleads: sequences whose end is all that matters.
Source: Hochreiter & Schmidhuber 1997; Jozefowicz, Zaremba & Sutskever 2015; Saxe et al. 2014, arXiv:1312.6120.
"""

from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.fading_through_time import FadingThroughTime
from liebig.checks.vanishing_gradient import VanishingGradient
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.nets.lstm import LSTM
from liebig.nets.recurrent import RecurrentNetwork
from liebig.remedies.edits import add, edit, exchange, worth_trying
from liebig.techniques.gradients.clip_norm import ClipNorm
from liebig.techniques.initialisations.forget_bias import ForgetBias
from liebig.techniques.initialisations.orthogonal_steps import OrthogonalSteps


class KeepMemory(Remedy):
    """`network` becomes `lstm`; `forget-bias`, `orthogonal-steps` and `clip-norm` are added, `network.pool` becomes `all`."""

    name = "keep-memory"
    answers = (FadingThroughTime, VanishingGradient, ExplodingGradient)
    cures = (FadingThroughTime,)
    prior = Prior(1.0, -2.0, 4.0, "open forget gates on sequences of hundreds of steps, the literature's gaps")
    changes = ("network", "techniques.forget-bias", "techniques.orthogonal-steps", "techniques.clip-norm")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = recipe.network
        if not isinstance(network, RecurrentNetwork):
            return ()
        gated = LSTM.model_validate({**network.model_dump(), "kind": "lstm"})
        changed: Recipe | None = recipe if isinstance(network, LSTM) else exchange(recipe, "network", gated)
        for technique in (OrthogonalSteps(), ForgetBias(), ClipNorm(limit=1.0)):
            present = changed is None or changed.technique(type(technique)) is not None
            changed = changed if present or changed is None else add(changed, technique)
        whole = None if changed is None else edit(changed, "network", {"pool": "all"})
        return (
            *worth_trying("memory: open gates, orthogonal steps", recipe, changed),
            *worth_trying("memory: and the answer from all steps", recipe, whole),
        )

    def advise(self, finding: Finding) -> str:
        return "Let the forget gates of an LSTM begin at a bias of 1 and its steps orthogonal, and clip the gradient's norm to 1."
