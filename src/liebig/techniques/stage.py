"""What techniques promise: a frozen record of settings, and a stage of K members that acts at named moments.

A plug-in's settings (a pydantic record) are per member. ``Technique.stage(records, ...)`` turns K records into one *stage*:
a frozen dataclass whose tensors lead with K. What a stage must remember is a state (any value whose tensors lead with K)
that the loop carries: `keep_members` shrinks both when members leave. The default of every method is to do nothing.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn, optim

from liebig.core.places import Places
from liebig.core.settings import Settings
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.specs import ParameterSpec
from liebig.techniques.script import Script, ScriptGround


@dataclass(frozen=True, slots=True, eq=False)
class UsersOwn:
    """What is the user's own and no recipe can hold: the loss of (answer, target), the function that makes an optimizer for
    a network, the network that is trained now (None where nothing is), the rows of an epoch as the user's sampler draws
    them from a seed and the epoch's number, int64 [draws] (None where it is the engine that draws), and the places of a target
    (None where a row has one)."""

    loss: Callable[[Any, Tensor], Tensor] | None = None
    optimizer: Callable[[nn.Module], optim.Optimizer] | None = None
    network: nn.Module | None = None
    order: Callable[[int, int], Tensor] | None = None
    places: Places | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What a stage is built on: the parameters of one member, the classes (1 for numbers), the number of training rows,
    the steps of an epoch, the epochs planned, the share of each class in the training rows, the device, what is the
    user's own, and the source column of each dense value of a table."""

    specs: tuple[ParameterSpec, ...]
    outputs: int
    is_classification: bool
    rows: int
    steps_per_epoch: int
    epochs: int
    class_shares: tuple[float, ...]
    device: torch.device
    own: UsersOwn | None = None
    columns: tuple[str, ...] = ()

    @property
    def places(self) -> Places | None:
        """The places of a target, where a row has several."""
        return self.own.places if self.own is not None else None

    @property
    def total_steps(self) -> int:
        return self.steps_per_epoch * self.epochs


#: Runs the network on one batch with the weights given (evaluation mode, no gradient) and tells what enters the activation
#: of each layer, in order: the layer's name (its weight is `<name>.weight`), [K, B, units] or [K, B, answers, units]; the
#: output layer last, with the outputs themselves.
Trial = Callable[[list[Tensor]], Sequence[tuple[str, Tensor]]]


@dataclass(frozen=True, slots=True, eq=False)
class Unlabelled:
    """What may be learnt from before any label is read: the training rows of each member, and rows that have no label.

    `rows` is how many an epoch has. `batches(epoch, size)` gives one epoch's, whose tensors lead with K, floats in float32; their
    targets mean nothing. `features(weights, batch)` is what stands before the output layer, float32 [K, B, features, height,
    width] for pictures and [K, B * answers, features] for tables (an ensemble's answers to a row lie beside each other), in
    training mode and with gradients (running statistics move along); `is_late()` says that the time is over.
    """

    rows: int
    batches: Callable[[int, int], Iterable[Batch]]
    features: Callable[[list[Tensor], Batch], Tensor]
    is_late: Callable[[], bool]


State = Any  # each stage knows its own; tensors in it lead with K


class Stage:
    """K members of one technique. Weights are float32 [K, *shape], a list in the order of the specs; gradients alike."""

    def prepare(self, weights: list[Tensor], seeds: Sequence[int], batch: Batch, forward: Trial) -> list[Tensor]:
        """Weights before step 0. `batch` is a first batch, `forward` runs the network on it in evaluation mode."""
        return weights

    def pretrain(self, weights: list[Tensor], seeds: Sequence[int], unlabelled: Unlabelled) -> list[Tensor]:
        """Weights after what is learnt without labels; comes behind every `prepare`."""
        return weights

    def start(self, weights: list[Tensor]) -> State:
        """The state before step 0."""
        return ()

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        """The batch that is really trained on."""
        return batch

    def on_loss(self, weights: list[Tensor]) -> Tensor | None:
        """A penalty [K] to add to the mean loss, or None."""
        return None

    def on_gradients(self, gradients: list[Tensor]) -> list[Tensor]:
        """The gradients that are really applied; may work in place."""
        return gradients

    def after_step(self, weights: list[Tensor], state: State, step: int) -> State:
        """After step `step` (0-based): may change `weights` in place (max-norm), returns the new state (EMA)."""
        return state

    def after_epoch(self, weights: list[Tensor], state: State, epoch: int) -> State:
        return state

    #: True when statistics of a normalisation must be taken anew for `eval_weights` (stochastic weight averaging).
    recalibrates: ClassVar[bool] = False

    def eval_weights(self, weights: list[Tensor], state: State) -> list[Tensor]:
        """The weights to evaluate with: handed over as a value, never swapped into the network."""
        return weights

    def answer_weights(self, weights: list[Tensor], state: State) -> list[list[Tensor]]:
        """Sets of weights whose predictions are averaged at the end (snapshots). Empty: `eval_weights` alone."""
        return []


class Technique(Settings):
    """The settings of a technique that stands in ``recipe.techniques``."""

    def as_script(self, ground: ScriptGround) -> Script | None:
        """The same in plain PyTorch; None where no plain script does it."""
        return None

    @classmethod
    @abstractmethod
    def stage(cls, records: Sequence[Technique], ground: Ground) -> Stage:
        """One stage for K records of this class."""


class Initialisation(Technique):
    """How weights are drawn. Claims "initialisation"; without one a network starts as torch's own layers do."""

    claims = "initialisation"

    @abstractmethod
    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor | None:
        """The values of one parameter of one member, float32 `spec.shape`; None leaves torch's default."""

    @classmethod
    def stage(cls, records: Sequence[Technique], ground: Ground) -> Stage:
        return Stage()


class Pretraining(Technique):
    """What a network learns of the inputs before any label is read. Claims "pretraining". `epochs` are those over the
    training rows and the rows without a label."""

    claims = "pretraining"

    epochs: int


class OptimizerStage:
    """K optimizers of one kind. Frozen dataclass; tensors lead with K.

    Weights and gradients are one float32 buffer [K, n] each: the parameters of `Ground.specs` one after another.
    `stack.flat.views` gives them back as [K, *shape] (for Muon), `stack.flat.spans` the columns that weight decay acts on.
    """

    @abstractmethod
    def start(self, weights: Tensor) -> State:
        """The state before step 0; `weights` float32 [K, n]."""

    @abstractmethod
    def step(self, weights: Tensor, gradients: Tensor, rates: Tensor, state: State, step: int) -> State:
        """Change `weights` [K, n] in place; `gradients` [K, n] may be overwritten. `rates` [K] are the learning rates of
        this step (0-based)."""

    def eval_weights(self, weights: Tensor, state: State) -> Tensor:
        """The weights [K, n] to evaluate with (schedule-free optimizers average)."""
        return weights


class OptimizerSettings(Settings):
    """The settings of an optimizer. `learning_rate` is stackable and is what schedules multiply."""

    learning_rate: float

    def as_script(self, ground: ScriptGround) -> Script | None:
        """The same in plain PyTorch; None where no plain script does it."""
        return None

    @classmethod
    @abstractmethod
    def stage(cls, records: Sequence[OptimizerSettings], ground: Ground) -> OptimizerStage: ...


class ObjectiveStage:
    """K objectives of one kind: the loss and the output activation are one choice. Frozen dataclass; tensors lead with K."""

    @abstractmethod
    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Training loss of each example, float32 [K, B] (or [K, B, answers]), smoothing and focusing included.

        `outputs` float32 [K, B, C] (or [K, B, answers, C]); `target` [K, B] class codes or numbers as encoded, or [K, B,
        classes] soft classes. Class weights are included.
        """

    @abstractmethod
    def judged(self, outputs: Tensor, target: Tensor) -> Tensor:
        """The plain loss of each example, [K, B], of the averaged answer: cross-entropy or squared error, nothing added."""

    @abstractmethod
    def predictions(self, outputs: Tensor) -> Tensor:
        """Probabilities [K, B] (binary, of the second class) or [K, B, C]; encoded numbers [K, B]. Answers are averaged."""

    def answered(self, outputs: Tensor, target: Tensor) -> Tensor:
        """What is kept of the answers to rows whose target is known, as `core.arrays.Predictions` with a leading K."""
        return self.predictions(outputs)


class ObjectiveSettings(Settings):
    """The settings of an objective."""

    def as_script(self, ground: ScriptGround) -> Script | None:
        """The same in plain PyTorch; None where no plain script does it."""
        return None

    @classmethod
    @abstractmethod
    def stage(cls, records: Sequence[ObjectiveSettings], ground: Ground) -> ObjectiveStage: ...


class BatchingSettings(Settings):
    """The settings of a batching rule: how many rows a batch has, and which rows come next.

    Gradients of `accumulate` batches are averaged into one step.
    """

    size: int

    def as_script(self, ground: ScriptGround) -> Script | None:
        """The same in plain PyTorch; None where no plain script does it."""
        return None

    @property
    def accumulates(self) -> int:
        return 1

    @abstractmethod
    def order(self, target: Tensor, generator: torch.Generator) -> Tensor:
        """One epoch's order: int64 [rows], positions among the training rows. `target` float32 [rows], class codes or
        numbers. The generator depends on the block and the epoch alone, so that recipes of a block share their batches."""

    def drawn(self, rows: int) -> int:
        """How many rows an epoch draws of `rows` training rows."""
        return rows

    def epoch_rows(
        self, rows: Tensor, target: Tensor, generator: torch.Generator, epoch: int, own: UsersOwn | None
    ) -> Tensor:
        """The rows of one epoch, int64 [drawn], of the training rows `rows` int64 [rows]; `target` and `generator` as of
        `order`."""
        return rows[self.order(target, generator)]


@dataclass(frozen=True, slots=True)
class Progress:
    """What one member's epoch ended with. Metrics as the user reads them; NaN where not evaluated. `rate` is the learning
    rate at the end of the epoch (a plateau schedule needs it for its lowest rate; NaN leaves that out)."""

    epoch: int
    train_loss: float
    stop_loss: float
    stop_metric: float
    higher_is_better: bool
    rate: float = math.nan


@dataclass(frozen=True, slots=True)
class Lowered:
    """A schedule's answer when it lowers the rate for good: multiply by `factor`, and why (a sentence)."""

    factor: float
    reason: str


class ScheduleSettings(Settings):
    """The settings of a schedule. Members of one population may hold different schedules."""

    stackable_whole = True

    def as_script(self, ground: ScriptGround) -> Script | None:
        """The same in plain PyTorch; None where no plain script does it."""
        return None

    @abstractmethod
    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        """What the learning rate is multiplied by at `step` (0-based)."""

    @property
    def chooses(self) -> bool:
        """True when the schedule reads the stop part and so needs one."""
        return False

    def start(self) -> Any:
        """The state of one member before the first epoch; a frozen value."""
        return None

    def after_epoch(self, state: Any, progress: Progress) -> tuple[Any, Lowered | None]:
        """The new state, and whether the rate is lowered from now on (reduce on plateau)."""
        return state, None


@dataclass(frozen=True, slots=True)
class Decision:
    """A stopping rule's answer: keep these weights as the ones to hand over (in place of any kept before)? stop? `reason` is
    a sentence when stopping. A rule that does not choose keeps nothing: the last weights are handed over."""

    keep: bool
    stop: bool
    reason: str = ""


class StoppingSettings(Settings):
    """The settings of a stopping rule. Members of one population may hold different rules."""

    stackable_whole = True

    epochs: int

    def as_script(self, ground: ScriptGround) -> Script | None:
        """The same in plain PyTorch; None where no plain script does it."""
        return None

    @property
    def chooses(self) -> bool:
        """True when the rule chooses an epoch and so needs a stop part of its own."""
        return False

    @property
    def may_end_early(self) -> bool:
        """True when fewer epochs than `epochs` may be trained."""
        return False

    def start(self) -> Any:
        """The state of one member before the first epoch; a frozen value."""
        return None

    @abstractmethod
    def after_epoch(self, state: Any, progress: Progress) -> tuple[Any, Decision]: ...
