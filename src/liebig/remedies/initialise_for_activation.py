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
from liebig.core.settings import Settings
from liebig.nets.activations.selu import SELU
from liebig.nets.activations.sigmoid import Sigmoid
from liebig.nets.activations.tanh import Tanh
from liebig.remedies.edits import add, dense_network, worth_trying
from liebig.techniques.initialisations.he import He
from liebig.techniques.initialisations.lecun import LeCun
from liebig.techniques.initialisations.xavier import Xavier


def _suiting(activation: Settings) -> tuple[Settings, str]:
    if isinstance(activation, (Sigmoid, Tanh)):
        return Xavier(), "Xavier"
    return (LeCun(), "LeCun") if isinstance(activation, SELU) else (He(), "He")


class InitialiseForActivation(Remedy):
    """The technique that claims the initialisation becomes the one that suits the activation."""

    name = "initialise-for-activation"
    answers = (PoorInitialisation, VanishingGradient, ExplodingGradient, DeadUnits, SaturatedUnits, NotLearning)
    prior = Prior(0.5, -0.5, 6.0, "He et al. 2015, figure 3: a deep network that else does not start to learn")
    changes = ("techniques",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = dense_network(recipe)
        if network is None:
            return ()
        initialisation, name = _suiting(network.activation)
        if recipe.technique(type(initialisation)) is not None:
            return ()
        return worth_trying(f"initialisation: {name}", recipe, add(recipe, initialisation), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Draw weights with He's variance before ReLU and its kin, LeCun's before SELU, Xavier's before sigmoid and tanh."
