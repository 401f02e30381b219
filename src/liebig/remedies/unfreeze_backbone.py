"""Train more of a backbone.

Does: trains the last stage of a frozen backbone with the output layer, or all of it: at a tenth of the rate, with rates that fall from
  layer to layer, or stage by stage.
Helps: pictures unlike those that the backbone has seen, and some hundreds of them or more.
Misleads: a few dozen pictures are learnt by heart as soon as everything may change.
Source: Yosinski et al. 2014, arXiv:1411.1792; Howard & Ruder 2018, arXiv:1801.06146.
"""

from __future__ import annotations

from liebig.checks.overfitting import Overfitting
from liebig.checks.still_improving import StillImproving
from liebig.checks.too_little_data import TooLittleData
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.nets.resnet import ResNet
from liebig.remedies.edits import add, at_rate, edit, rate_of, worth_trying
from liebig.techniques.gradients.deferred_layers import DeferredLayers
from liebig.techniques.gradients.discriminative_rates import DiscriminativeRates

#: Of the output layer's rate, what the layers of a backbone bear.
_GENTLER = 0.1


class UnfreezeBackbone(Remedy):
    """`network.trains` becomes last-stage or everything."""

    name = "unfreeze-backbone"
    answers = (Underfitting, Overfitting, StillImproving, TooLittleData)
    prior = Prior(3.0, -3.0, 10.0, "frozen against fine-tuned backbones on small picture sets, the literature's gaps")
    changes = (
        "network.trains",
        "optimizer.learning_rate",
        "techniques.discriminative-rates",
        "techniques.deferred-layers",
    )
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network, rate = recipe.network, rate_of(recipe)
        if not isinstance(network, ResNet) or network.trains == "everything" or rate is None:
            return ()
        found: list[Proposal] = []
        if network.trains == "output":
            last = edit(recipe, "network", {"trains": "last-stage"})
            found += worth_trying("unfreeze: the last stage", recipe, _at(last, rate * _GENTLER))
        whole = edit(recipe, "network", {"trains": "everything"})
        if whole is not None:
            found += worth_trying("unfreeze: everything, a tenth of the rate", recipe, _at(whole, rate * _GENTLER))
            found += worth_trying("unfreeze: rates that fall downwards", recipe, add(whole, DiscriminativeRates()))
            found += worth_trying("unfreeze: stage by stage", recipe, add(whole, DeferredLayers()))
        return tuple(found)

    def advise(self, finding: Finding) -> str:
        return "Where a backbone is frozen, train its last stage, too, at a tenth of the rate; then more of it."


def _at(recipe: Recipe | None, rate: float) -> Recipe | None:
    return None if recipe is None else at_rate(recipe, rate)
