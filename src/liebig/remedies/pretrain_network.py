"""Pretrain a network.

Does: before any label is read lets the network give back what is hidden of its inputs, or inputs with noise: pictures as long as
  it is trained afterwards, also with the output layer trained alone in the first epochs (where it is pretrained already, the
  output layer first); rows of a table where at least as many have no target as have one.
Helps: few labels; more where there are examples without one beside them. With 300 labels and 3,000 rows without, four draws each,
  the autoencoder gave +0.010 +-0.003 (higgs_7k) and +0.005 +-0.002 (adult) of ROC AUC and 0.8 +-0.4 % of the error of
  california_housing; it took 3 +-1 % on elevators.
Misleads: it doubles the time, and more where many have no label; with some thousands of labels augmentation of pictures gives
  more for less. On tables without further rows it gave something on one of four.
Source: He et al. 2022, arXiv:2111.06377; Masci et al. 2011; frozen, then unfrozen: Kumar et al. 2022, arXiv:2202.10054; tables:
  Bahri et al. 2022, arXiv:2106.15147.
"""

from __future__ import annotations

from typing import Final

from liebig.checks.overfitting import Overfitting
from liebig.checks.too_little_data import TooLittleData
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.data.table.inputs import TableInputs
from liebig.nets.dense import DenseSettings
from liebig.nets.pictures import PictureNetwork
from liebig.remedies.edits import add, worth_trying
from liebig.techniques.gradients.deferred_layers import DeferredLayers
from liebig.techniques.pretraining import Autoencoder, MaskedFeatures, MaskedPatches
from liebig.techniques.stage import Pretraining, StoppingSettings

#: With more labels than that the same time is better spent on them.
_FEW: Final = 5_000
_LEAST, _MOST = 10, 100  # epochs of pretraining
_ALONE: Final = 5  # one in so many epochs trains the output layer alone
_ROWS: Final = 128  # of a table, in a batch


class PretrainNetwork(Remedy):
    """Adds `masked-patches` (pictures), `masked-features` (tables) or `autoencoder`, or `deferred-layers` to the first or last."""

    name = "pretrain-network"
    answers = (Overfitting, TooLittleData)
    prior = Prior(0.2, -2.5, 3.0, "pretraining on the same small picture sets, the literature's gaps")
    changes = (
        "techniques.masked-patches", "techniques.masked-features", "techniques.autoencoder", "techniques.deferred-layers",
    )  # fmt: skip
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if situation.rows > _FEW:
            return ()
        if isinstance(recipe.network, DenseSettings) and isinstance(recipe.inputs, TableInputs):
            return _of_rows(recipe, situation)
        if not isinstance(recipe.network, PictureNetwork):
            return ()
        assert isinstance(recipe.stopping, StoppingSettings)
        planned = recipe.stopping.epochs
        alone = DeferredLayers(epochs=max(1, planned // _ALONE), together=True)
        if any(isinstance(each, Pretraining) for each in recipe.techniques):
            if recipe.technique(DeferredLayers) is not None:
                return ()
            return worth_trying("pretrain: then the output layer first", recipe, add(recipe, alone))
        epochs = min(max(planned, _LEAST), _MOST)
        masked, whole = add(recipe, MaskedPatches(epochs=epochs)), add(recipe, Autoencoder(epochs=epochs))
        return (
            *worth_trying("pretrain: masked patches", recipe, masked),
            *worth_trying("pretrain: autoencoder", recipe, whole),
            *worth_trying(
                "pretrain: masked patches, then the output layer first", recipe, masked and add(masked, alone)
            ),
        )

    def advise(self, finding: Finding) -> str:
        return (
            "Where labels are few, let the network first give back what is hidden of its inputs, those without a label among "
            "them, then train it."
        )


def _of_rows(recipe: Recipe, situation: Situation) -> tuple[Proposal, ...]:
    if situation.unlabelled < situation.rows or any(isinstance(each, Pretraining) for each in recipe.techniques):
        return ()
    return (
        *worth_trying("pretrain: autoencoder", recipe, add(recipe, Autoencoder(size=_ROWS))),
        *worth_trying("pretrain: masked features", recipe, add(recipe, MaskedFeatures(size=_ROWS))),
    )
