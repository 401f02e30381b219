"""Events: what happens while Liebig works, each a frozen value. A listener may answer `Stop`; it cannot change state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from liebig.core.trial import Verdict


@dataclass(frozen=True, slots=True)
class Stop:
    """A listener's answer: end early, keep the best so far. `reason` is told to the user."""

    reason: str = "asked to stop"


@dataclass(frozen=True, slots=True)
class Event:
    """The parent of every event."""


@dataclass(frozen=True, slots=True)
class TrainingBegan(Event):
    """A population of `members` networks begins; `parameters` are of one of them."""

    members: int
    parameters: int
    epochs: int
    batches: int  # a full epoch has so many
    rows: int


@dataclass(frozen=True, slots=True)
class BatchesDone(Event):
    """`done` of `batches` batches of this epoch are done (sent a few times a second at most)."""

    epoch: int
    done: int
    batches: int
    loss: float


@dataclass(frozen=True, slots=True)
class EpochEnded(Event):
    """One epoch of one member (0-based). Metrics as the user reads them (RMSE is low when good). NaN: not evaluated."""

    member: int
    epoch: int
    epochs: int
    train_loss: float
    stop_loss: float
    train_metric: float
    stop_metric: float
    rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class RateLowered(Event):
    """The schedule lowered a member's learning rate, and why."""

    member: int
    epoch: int
    before: float
    after: float
    reason: str


@dataclass(frozen=True, slots=True)
class CheckpointWritten(Event):
    member: int
    epoch: int
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    """A member left the stack: `reason` is a sentence; `selected` the epoch whose weights are kept."""

    member: int
    epoch: int
    reason: str
    selected: int


@dataclass(frozen=True, slots=True)
class PopulationHalved(Event):
    """An allocation failed; the population goes on in two halves."""

    members: int
    bytes_wanted: int


@dataclass(frozen=True, slots=True)
class BatchHalved(Event):
    """A step of one network did not fit into memory: its batches of `rows` rows are passed in `pieces` pieces from now on,
    whose gradients are averaged into the same step."""

    rows: int
    pieces: int


@dataclass(frozen=True, slots=True)
class DeviceReplaced(Event):
    """Training goes on with the processor, since the device that was asked for cannot be used: `sentence` says why."""

    sentence: str


@dataclass(frozen=True, slots=True)
class StudyBegan(Event):
    """The first lines of the screen: the table, the metric, the machine, the sealed part."""

    name: str
    summary: str
    metric: str
    machine: str
    sealed: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BaselineJudged(Event):
    name: str
    score: float
    seconds: float


@dataclass(frozen=True, slots=True)
class TrialsRunning(Event):
    """What is being tried now: `block` of `first`..`last` blocks."""

    names: tuple[str, ...]
    block: int
    first: int
    last: int
    seconds: float
    budget: float


@dataclass(frozen=True, slots=True)
class TrialJudged(Event):
    """One look at one treatment. `difference` is oriented: positive is better. `answers` is the finding it answers."""

    name: str
    difference: float
    low: float
    high: float
    verdict: Verdict
    blocks: int
    answers: str
    final: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class RungAdopted(Event):
    """The ladder grew. `score` is the adopted recipe's mean score over its blocks, as the user reads it."""

    name: str
    score: float
    difference: float
    low: float
    high: float
    verdict: Verdict
    answers: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ChallengerJudged(Event):
    name: str
    score: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Stage(Event):
    """A stage of the study begins, told in a few words ("diagnosing the textbook network")."""

    what: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SealOpened(Event):
    """The last lines: both scores on the sealed part, the gain with its interval, in the metric's own direction."""

    before: float
    after: float
    difference: float
    low: float
    high: float
    proven: bool
    sentence: str


Listener = Callable[[Event], Stop | None]


def silent(event: Event) -> Stop | None:
    """The listener that does nothing."""
    return None
