"""The recipes that pictures begin with: the textbook network, which is the baseline, and what an expert would start from."""

from __future__ import annotations

from typing import Final

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.core.task import Task
from liebig.data.pictures.content import PictureData
from liebig.data.pictures.inputs import PictureInputs
from liebig.data.pictures.task import PictureTask
from liebig.nets.activations.relu import ReLU
from liebig.nets.mlp import MLP
from liebig.nets.residual_cnn import ResidualCNN
from liebig.techniques.averaging.ema import EMA
from liebig.techniques.batches.cutout import Cutout
from liebig.techniques.batches.random_crop import RandomCrop
from liebig.techniques.batches.random_flip import RandomFlip
from liebig.techniques.batching.shuffled import Shuffled
from liebig.techniques.compute.auto import Compute
from liebig.techniques.initialisations.he import He
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.objectives.mse import MSE
from liebig.techniques.optimizers.adam import Adam
from liebig.techniques.optimizers.nesterov import Nesterov
from liebig.techniques.schedules.constant import Constant
from liebig.techniques.schedules.one_cycle import OneCycle
from liebig.techniques.stopping.epochs import FixedEpochs

#: Below so many pictures batches are smaller, so that an epoch has enough steps.
_FEW: Final = 2_000
#: Steps that the starting recipe takes at least, and epochs at most.
_STEPS: Final = 1_800
_MOST_EPOCHS: Final = 60
_LEAST_EPOCHS: Final = 12


def textbook(found: PictureTask) -> Recipe:
    """What a first course would train: bytes divided by 255, an MLP on the pixels with two layers of 128 ReLU, Adam at 1e-3, a
    fixed number of epochs, the last weights."""
    task = found.task
    few = len(task.parts.work) < _FEW
    return Recipe(
        inputs=PictureInputs(scale="divide-by-255"),
        network=MLP(width=128, depth=2, activation=ReLU()),
        objective=_objective(task),
        optimizer=Adam(learning_rate=1e-3, weight_decay=0.0),
        schedule=Constant(),
        batching=Shuffled(size=32 if few else 128),
        stopping=FixedEpochs(epochs=20 if few else 15),
        compute=Compute(),
    )


def starting(found: PictureTask, epochs: int | None = None) -> Recipe:
    """What an expert would start from: a residual network of convolutions on standardised pictures, random crops and cutout,
    label smoothing, Nesterov's momentum over one cycle, averaged weights. Mirror images are left to a trial: what is mirrored
    may be another thing. `epochs` shortens it."""
    task = found.task
    rows = len(task.parts.work)
    batch = 64 if rows < _FEW else 128
    planned = max(_LEAST_EPOCHS, min(_MOST_EPOCHS, round(_STEPS * batch / rows)))
    objective = CrossEntropy(label_smoothing=0.1) if task.kind.is_classification else MSE()
    return Recipe(
        inputs=PictureInputs(scale="standardise"),
        network=ResidualCNN(width=32),
        objective=objective,
        optimizer=Nesterov(learning_rate=0.05, weight_decay=5e-4, momentum=0.9),
        schedule=OneCycle(peak=2.0, rise=0.25),
        batching=Shuffled(size=batch),
        stopping=FixedEpochs(epochs=epochs or planned),
        techniques=(He(), RandomCrop(), Cutout(), EMA(horizon=1.0)),
        compute=Compute(),
    )


def mirrored(recipe: Recipe) -> Recipe:
    """`recipe` with mirror images: in training and, where the network can, in what is handed over."""
    network = recipe.network
    if isinstance(network, ResidualCNN):
        recipe = recipe.replace(network=network.model_copy(update={"views": 2}))
    return recipe.with_technique(RandomFlip())


def _objective(task: Task[PictureData]) -> Settings:
    return CrossEntropy() if task.kind.is_classification else MSE()
