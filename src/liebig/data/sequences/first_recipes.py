"""The recipes that sequences begin with: the textbook network, which is the baseline, and what an expert would start from."""

from __future__ import annotations

from typing import Final

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.core.task import Task
from liebig.data.sequences.content import SequenceData
from liebig.data.sequences.inputs import SequenceInputs
from liebig.data.sequences.task import SequenceTask
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
from liebig.techniques.stopping.epochs import FixedEpochs

#: Steps of the optimizer that the two take, at least as far as epochs allow.
_TEXTBOOK_STEPS: Final = 400
_STEPS: Final = 700
_MOST_EPOCHS: Final = 120
_LEAST_EPOCHS: Final = 12
#: Sequences of more steps are read at every second, fourth, ... by the first convolution.
_LONG: Final = 400


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
    """What an expert would start from: residual convolutions along time, AdamW over one cycle with clipped gradients, averaged
    weights; label smoothing for classes, and for forecasts a linear way around the network. `epochs` shortens it."""
    task = found.task
    rows = len(task.parts.work)
    batch = 16 if rows < 400 else 32 if rows < 4_000 else 64
    stride = 1
    while task.data.steps // stride > _LONG:
        stride *= 2
    forecasts = task.data.anchor >= 0
    network = TemporalCNN(
        width=64, depth=3, kernel=7, stride=stride, dropout=0.1, pool="last" if forecasts else "all",
        highway=task.data.steps if forecasts else 0,
    )  # fmt: skip
    objective = CrossEntropy(label_smoothing=0.1) if task.kind.is_classification else MSE()
    return Recipe(
        inputs=SequenceInputs(scale="standardise", read="steps"),
        network=network,
        objective=objective,
        optimizer=AdamW(learning_rate=1e-3, weight_decay=0.05),
        schedule=OneCycle(peak=2.0, rise=0.25),
        batching=Shuffled(size=batch),
        stopping=FixedEpochs(epochs=epochs or _epochs(rows, batch, _STEPS)),
        techniques=(He(), ClipNorm(limit=1.0), EMA(horizon=1.0)),
        compute=Compute(),
    )


def _epochs(rows: int, batch: int, steps: int) -> int:
    return max(_LEAST_EPOCHS, min(_MOST_EPOCHS, round(steps * batch / max(rows, 1))))


def _objective(task: Task[SequenceData]) -> Settings:
    return CrossEntropy() if task.kind.is_classification else MSE()
