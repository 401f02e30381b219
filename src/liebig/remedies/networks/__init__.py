"""The network of a recipe as remedies see it, whether it is Liebig's own or the user's: what it has, and what it would be with one
thing changed."""

from __future__ import annotations

from liebig.core.evidence import Anatomy
from liebig.core.recipe import Recipe
from liebig.core.remedy import Situation
from liebig.nets.dense import DenseSettings
from liebig.nets.pictures import PictureNetwork
from liebig.nets.sequences import SequenceNetwork
from liebig.nets.user_module import UserModule
from liebig.remedies.networks.convolutional import ConvolutionalNetwork
from liebig.remedies.networks.dense import DenseNetwork
from liebig.remedies.networks.network import SQUASHING, Bend, Network, Scheme
from liebig.remedies.networks.own import OwnNetwork
from liebig.remedies.networks.stepwise import StepwiseNetwork

__all__ = ["SQUASHING", "Bend", "Network", "Scheme", "bent_and_drawn", "network_in"]


def network_in(recipe: Recipe, situation: Situation) -> Network | None:
    """The network of `recipe`; None where nothing is known of what it consists of."""
    if isinstance(recipe.network, DenseSettings):
        return DenseNetwork(recipe, recipe.network)
    if isinstance(recipe.network, PictureNetwork):
        return ConvolutionalNetwork(recipe, recipe.network)
    if isinstance(recipe.network, SequenceNetwork):
        return StepwiseNetwork(recipe, recipe.network)
    anatomy = situation.evidence.get(Anatomy)
    if isinstance(recipe.network, UserModule) and anatomy is not None:
        return OwnNetwork(recipe, recipe.network, anatomy)
    return None


def bent_and_drawn(recipe: Recipe, situation: Situation, kind: Bend) -> Recipe | None:
    """`recipe` with another activation between its layers and weights drawn as suits it: a scheme is made for one activation."""
    network = network_in(recipe, situation)
    bent = network.bent_by(kind) if network is not None else None
    after = network_in(bent, situation) if bent is not None else None
    if after is None:
        return None
    return after.drawn_by(after.suiting_scheme) or bent
