"""The initialisation that suits the activation.

Does: draws weights as He for ReLU and its kin, as LeCun for SELU, as Xavier for sigmoid and tanh.
Helps: signals and gradients keep their size from layer to layer at step 0.
Misleads: with normalisation between the layers the first draw matters little.
Source: He et al. 2015, arXiv:1502.01852; Glorot & Bengio 2010; Klambauer et al. 2017, arXiv:1706.02515.
"""

from liebig.checks.dead_units import DeadUnits
from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.not_learning import NotLearning
from liebig.checks.poor_initialisation import PoorInitialisation
from liebig.checks.saturated_units import SaturatedUnits
from liebig.checks.vanishing_gradient import VanishingGradient
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in

_NAMES = {"he": "He", "xavier": "Xavier", "lecun": "LeCun"}


class InitialiseForActivation(Remedy):
    """The technique that claims the initialisation becomes the one that suits the activation."""

    name = "initialise-for-activation"
    answers = (PoorInitialisation, VanishingGradient, ExplodingGradient, DeadUnits, SaturatedUnits, NotLearning)
    cures = (PoorInitialisation,)
    prior = Prior(0.5, -0.5, 6.0, "He et al. 2015, figure 3: a deep network that else does not start to learn")
    changes = ("techniques", "network.edits")

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        if network is None:
            return ()
        scheme = network.suiting_scheme
        changed = network.drawn_by(scheme)
        return worth_trying(f"initialisation: {_NAMES[scheme]}", recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        place = f" (first of all in {finding.place})" if finding.place else ""
        return f"Draw weights{place} with He's variance before ReLU and its kin, LeCun's before SELU, Xavier's before sigmoid and tanh."
