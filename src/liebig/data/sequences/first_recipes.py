"""The recipes that sequences begin with: the textbook network, which is the baseline, and what an expert would start from."""

from __future__ import annotations

from typing import Final

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.core.task import Task
from liebig.data.sequences.content import SequenceData
from liebig.data.sequences.inputs import SequenceInputs
from liebig.data.sequences.task import SequenceTask
from liebig.data.sequences.windows import season_for
from liebig.nets.activations.relu import ReLU
from liebig.nets.mlp import MLP
from liebig.nets.temporal_cnn import TemporalCNN
from liebig.techniques.averaging.ema import EMA
from liebig.techniques.batching.shuffled import Shuffled
from liebig.techniques.compute.auto import Compute
from liebig.techniques.gradients.clip_norm import ClipNorm
from liebig.techniques.initialisations.he import He
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.objectives.mse import MSE
from liebig.techniques.optimizers.adam import Adam
from liebig.techniques.optimizers.adamw import AdamW
from liebig.techniques.schedules.constant import Constant
from liebig.techniques.schedules.one_cycle import OneCycle
from liebig.techniques.stopping.early_stopping import EarlyStopping
from liebig.techniques.stopping.epochs import FixedEpochs

#: Steps of the optimizer that the two take, at least as far as epochs allow.
_TEXTBOOK_STEPS: Final = 400
_STEPS: Final = 700
_MOST_EPOCHS: Final = 120
_LEAST_EPOCHS: Final = 12
#: Sequences of more steps are read at every second, fourth, ... by the first convolution.
_LONG: Final = 400
_WINDOW: Final = 128
#: Epochs of a forecast at most, and without progress.
_CAP: Final = 30
_PATIENCE: Final = 6


def textbook(found: SequenceTask) -> Recipe:
    """What a first course would train: an MLP on all steps, one after another, with two layers of 128 ReLU; Adam at 1e-3, a fixed
    number of epochs, the last weights."""
    rows = len(found.task.parts.work)
    return Recipe(
        inputs=SequenceInputs(scale="standardise", read="steps"),
        network=MLP(width=128, depth=2, activation=ReLU()),
        objective=_objective(found.task),
        optimizer=Adam(learning_rate=1e-3, weight_decay=0.0),
        schedule=Constant(),
        batching=Shuffled(size=32),
        stopping=FixedEpochs(epochs=_epochs(rows, 32, _TEXTBOOK_STEPS)),
        compute=Compute(),
    )


def starting(found: SequenceTask, epochs: int | None = None) -> Recipe:
    """What an expert would start from. `epochs` shortens it."""
    return _forecasting(found, epochs) if found.task.data.anchor >= 0 else _answering(found, epochs)


def _answering(found: SequenceTask, epochs: int | None) -> Recipe:
    """For one answer to each sequence: residual convolutions along time, AdamW over one cycle with clipped gradients, averaged
    weights; label smoothing for classes."""
    task = found.task
    rows = len(task.parts.work)
    batch = 16 if rows < 400 else 32 if rows < 4_000 else 64
    return Recipe(
        inputs=SequenceInputs(scale="standardise", read="steps"),
        network=TemporalCNN(width=64, depth=3, kernel=7, stride=_stride(task.data.steps, _LONG), dropout=0.1),
        objective=CrossEntropy(label_smoothing=0.1) if task.kind.is_classification else MSE(),
        optimizer=AdamW(learning_rate=1e-3, weight_decay=0.05),
        schedule=OneCycle(peak=2.0, rise=0.25),
        batching=Shuffled(size=batch),
        stopping=FixedEpochs(epochs=epochs or _epochs(rows, batch, _STEPS)),
        techniques=(He(), ClipNorm(limit=1.0), EMA(horizon=1.0)),
        compute=Compute(),
    )


def _forecasting(found: SequenceTask, epochs: int | None) -> Recipe:
    """For the next values of a series: what stood a season before, where that says something, and a linear layer on all steps; narrow
    convolutions with dropout learn what is left. Constant AdamW, averaged weights, early stopping: how long a series can be
    learnt from before it is learnt by heart is not known before."""
    task = found.task
    steps = task.data.steps
    network = TemporalCNN(
        width=32, depth=3, kernel=5, stride=_stride(steps, _WINDOW), dropout=0.3, pool="all", highway=steps,
        season=season_for(task.data, task.target, task.parts.work),
    )  # fmt: skip
    return Recipe(
        inputs=SequenceInputs(scale="standardise", read="steps"),
        network=network,
        objective=MSE(),
        optimizer=AdamW(learning_rate=1e-3, weight_decay=0.1),
        schedule=Constant(),
        batching=Shuffled(size=32 if len(task.parts.work) < 4_000 else 64),
        stopping=EarlyStopping(epochs=epochs or _CAP, patience=_PATIENCE),
        techniques=(He(), ClipNorm(limit=1.0), EMA(horizon=1.0)),
        compute=Compute(),
    )


def _stride(steps: int, most: int) -> int:
    stride = 1
    while steps // stride > most:
        stride *= 2
    return stride


def _epochs(rows: int, batch: int, steps: int) -> int:
    return max(_LEAST_EPOCHS, min(_MOST_EPOCHS, round(steps * batch / max(rows, 1))))


def _objective(task: Task[SequenceData]) -> Settings:
    return CrossEntropy() if task.kind.is_classification else MSE()
