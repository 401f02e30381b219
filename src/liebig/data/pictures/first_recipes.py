"""The recipes that pictures begin with: the textbook network, which is the baseline, and what an expert would start from."""

from __future__ import annotations

from typing import Final

import numpy as np

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.core.task import Task
from liebig.data.pictures.content import PictureData
from liebig.data.pictures.inputs import PictureInputs
from liebig.data.pictures.mirrors import mirrored_alike
from liebig.data.pictures.task import PictureTask
from liebig.nets.activations.relu import ReLU
from liebig.nets.mlp import MLP
from liebig.nets.pictures import PictureNetwork
from liebig.nets.resnet import ResNet, depth_of
from liebig.nets.whitened_cnn import WhitenedCNN
from liebig.stack.specs import Signature
from liebig.techniques.averaging.ema import EMA
from liebig.techniques.batches.colour_jitter import ColourJitter
from liebig.techniques.batches.cutout import Cutout
from liebig.techniques.batches.random_crop import RandomCrop
from liebig.techniques.batches.random_flip import RandomFlip
from liebig.techniques.batching.shuffled import Shuffled
from liebig.techniques.compute.auto import Compute
from liebig.techniques.initialisations.he import He
from liebig.techniques.initialisations.whiten_patches import WhitenPatches
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.objectives.mse import MSE
from liebig.techniques.optimizers.adam import Adam
from liebig.techniques.optimizers.nesterov import Nesterov
from liebig.techniques.schedules.constant import Constant
from liebig.techniques.schedules.one_cycle import OneCycle
from liebig.techniques.stopping.epochs import FixedEpochs

#: Below so many pictures batches are smaller, so that an epoch has enough steps.
_FEW: Final = 2_000
#: What the starting recipe is planned for: multiplications in all forward passes, some minutes on two cores; and epochs.
_WORK: Final = 2.25e13
_MOST_EPOCHS: Final = 100
_LEAST_EPOCHS: Final = 8
_BACKBONE_EPOCHS: Final = 15
#: Sides up to which pictures are small or of middle size: larger ones are halved once or twice more, by blocks half as wide.
_SMALL: Final = 40
_MIDDLE: Final = 80


def textbook(found: PictureTask) -> Recipe:
    """What a first course would train: bytes divided by 255, an MLP on the pixels with two layers of 128 ReLU, Adam at 1e-3, a
    fixed number of epochs, the last weights. With a backbone: its features as they are, and an output layer on them."""
    task = found.task
    few = len(task.parts.work) < _FEW
    if found.backbone:
        return _frozen(found)
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
    """What an expert would start from: a fast network of convolutions behind a whitening layer on standardised pictures; random
    crops, colour jitter and cutout; label smoothing, Nesterov's momentum over one cycle, averaged weights, several views of what
    is answered. With a backbone its last stage is trained, too, at a lower rate. Mirror images where they look like the pictures themselves, class by class. `epochs` shortens it."""
    task = found.task
    rows = len(task.parts.work)
    few = rows < _FEW
    if found.backbone:
        recipe = _tuned(found, epochs)
        return mirrored(recipe) if mirrored_alike(task) else recipe
    network = network_for(task.data.shape)
    objective = CrossEntropy(label_smoothing=0.1) if task.kind.is_classification else MSE()
    recipe = Recipe(
        inputs=PictureInputs(scale="standardise"),
        network=network,
        objective=objective,
        optimizer=Nesterov(learning_rate=0.07 if few else 0.1, weight_decay=5e-4, momentum=0.9),
        schedule=OneCycle(peak=2.0, rise=0.25),
        batching=Shuffled(size=64 if few else 128),
        stopping=FixedEpochs(epochs=epochs or planned_epochs(task, network, rows)),
        techniques=(He(), WhitenPatches(), RandomCrop(), ColourJitter(), Cutout(size=0.375), EMA(horizon=1.0)),
        compute=Compute(),
    )
    return mirrored(recipe) if mirrored_alike(task) else recipe


def _frozen(found: PictureTask) -> Recipe:
    """A backbone whose layers stay as they are, and an output layer on its features."""
    return Recipe(
        inputs=PictureInputs(scale="imagenet"),
        network=ResNet(depth=depth_of(found.backbone), backbone=found.backbone, trains="output"),
        objective=_objective(found.task),
        optimizer=Adam(learning_rate=1e-3, weight_decay=0.0),
        schedule=Constant(),
        batching=Shuffled(size=32),
        stopping=FixedEpochs(epochs=_BACKBONE_EPOCHS),
        compute=Compute(),
    )


def _tuned(found: PictureTask, epochs: int | None) -> Recipe:
    """A backbone whose last stage is trained with the output layer."""
    is_classification = found.task.kind.is_classification
    return Recipe(
        inputs=PictureInputs(scale="imagenet"),
        network=ResNet(depth=depth_of(found.backbone), backbone=found.backbone, trains="last-stage"),
        objective=CrossEntropy(label_smoothing=0.1) if is_classification else MSE(),
        optimizer=Nesterov(learning_rate=0.01, weight_decay=1e-4, momentum=0.9),
        schedule=OneCycle(peak=1.0, rise=0.25),
        batching=Shuffled(size=32),
        stopping=FixedEpochs(epochs=epochs or _BACKBONE_EPOCHS),
        techniques=(RandomCrop(), ColourJitter(), EMA(horizon=1.0)),
        compute=Compute(),
    )


def network_for(shape: tuple[int, int, int]) -> WhitenedCNN:
    """The network that pictures of (channels, height, width) start with: about the same work for each picture."""
    side = min(shape[1:])
    if side <= _SMALL:
        return WhitenedCNN(width=64, blocks=3, shifted=True)
    return WhitenedCNN(width=32 if side <= _MIDDLE else 16, blocks=4 if side <= _MIDDLE else 5, shifted=True)


def planned_epochs(task: Task[PictureData], network: WhitenedCNN, rows: int) -> int:
    """As many as the planned work pays for."""
    signature = Signature(int(np.prod(task.data.shape)), picture=task.data.shape)
    each = network.structure(signature, task.outputs).flops / 2
    return max(_LEAST_EPOCHS, min(_MOST_EPOCHS, round(_WORK / (each * max(rows, 1)))))


def mirrored(recipe: Recipe) -> Recipe:
    """`recipe` with mirror images: in training and, where the network can, in what is handed over."""
    network = recipe.network
    if isinstance(network, PictureNetwork):
        recipe = recipe.replace(network=network.model_copy(update={"mirrored": True}))
    return recipe.with_technique(RandomFlip())


def _objective(task: Task[PictureData]) -> Settings:
    return CrossEntropy() if task.kind.is_classification else MSE()
