"""What active probes show: small experiments on a copy of the network, which leave everything as it was."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from liebig.core.evidence.bag import Measurement


@dataclass(frozen=True, slots=True)
class OneBatch(Measurement):
    """One batch trained on alone for `steps` steps: can the network learn it by heart? Losses in the user's loss.

    `chance_loss` is that of an answer that ignores its input. `accuracy` is that at the end (NaN for numbers).
    """

    rows: int
    steps: int
    first_loss: float
    last_loss: float
    chance_loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class SameBatchTwice(Measurement):
    """One batch answered twice in evaluation as the user evaluates: the largest difference of two answers over their spread.

    `as_called` is the difference in the mode in which the loop evaluates; `in_evaluation` in `eval()` mode; the second time
    beside other rows. `mixed` is the latter where the same rows in the same company get the same answer, and 0 elsewhere: rows
    are answered by other rows.
    """

    as_called: float
    in_evaluation: float
    mixed: float = 0.0


@dataclass(frozen=True, slots=True)
class ShuffledInputs(Measurement):
    """The select loss of a copy trained as the network was, on inputs shuffled against their labels, beside that on the
    true pairs; same steps. `chance_loss` ignores the input; `error` is the standard error of the difference."""

    true_loss: float
    shuffled_loss: float
    chance_loss: float
    error: float
    steps: int


@dataclass(frozen=True, slots=True)
class RateRange(Measurement):
    """A learning-rate range test on a copy, from the initial (or present) weights: the smoothed loss at growing rates.

    `used` is the rate of the loop, `found` the one that the test recommends, `largest` the largest that did not diverge; both
    are NaN where the loss fell at no rate.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    used: float
    found: float
    largest: float


@dataclass(frozen=True, slots=True)
class Cooled(Measurement):
    """What letting the rate down brings: the judged loss on rows for evaluation of a copy that trains on for `steps` steps at the
    loop's own rate (`steady_loss`, mean over several moments) beside one whose rate goes down to nothing; same batches.
    `error` is the standard error of their difference, `chance_loss` as in `FinalScore`. The same on training rows, in units of
    the loss of chance there: `train_before` as the loop left the network."""

    steady_loss: float
    cooled_loss: float
    chance_loss: float
    error: float
    steps: int
    train_before: float
    train_steady: float
    train_cooled: float
    train_error: float


@dataclass(frozen=True, slots=True)
class NoiseScale(Measurement):
    """The gradient's noise from micro-batches: the batch at which noise and signal are equal, beside the batch in use.

    Source: McCandlish et al. 2018, arXiv:1812.06162, equation 2.9 (simple noise scale).
    """

    batch: int
    scale: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LoaderWait(Measurement):
    """Seconds a step waits for its batch beside those it computes, medians; `cached` is the whole step with a batch that is
    already there (NaN where that was not tried)."""

    wait: float
    compute: float
    cached: float
    workers: int
    place: str = ""


@dataclass(frozen=True, slots=True)
class HostSyncs(Measurement):
    """Waits for the device (`.item()`, `.cpu()`, `print` of a tensor) between two steps: the median number over the looks,
    and where the first was called from. `seconds` is what they cost of a step, NaN where that was not measured. `printed`
    is the median number of prints (of tensors, or lines to the terminal) in a step; `device` where the network is."""

    per_step: float
    place: str
    call: str
    seconds: float = float("nan")
    step_seconds: float = float("nan")
    printed: float = 0.0
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class MemoryGrowth(Measurement):
    """How memory grows: bytes a step (slope over `steps` steps), beside the bytes of the network; and how many tensors with
    a graph behind them were alive at the last look beside the first."""

    bytes_per_step: float
    steps: int
    network_bytes: int
    graphs_first: int
    graphs_last: int
    place: str = ""


@dataclass(frozen=True, slots=True)
class Causality(Measurement):
    """One future step of a sequence changed: how far answers before it moved, over their spread. `claimed` is True when the
    network is meant to be causal (it answers for each step and is judged against the next one)."""

    moved: float
    length: int
    claimed: bool
    layer: str = ""


@dataclass(frozen=True, slots=True)
class LabelAgreement(Measurement):
    """How labels agree with answers out of sample (confident learning): the estimated share of wrong ones with its standard
    error, and the most suspect rows of the training data (row number, given label, likelier label). `sure` is the share of labels
    that agree with the surest third of the answers; NaN where nothing predicts a label better than chance, and `share` says
    nothing. `neighbours` is by how many standard errors the nearest other rows predict a label better than the commonest class.

    Source: Northcutt, Jiang & Chuang 2021, arXiv:1911.00068.
    """

    rows: int
    share: float
    error: float
    suspects: tuple[tuple[int, str, str], ...]
    sure: float = math.nan
    neighbours: float = math.nan

    @property
    def is_known(self) -> bool:
        """Whether anything predicts a label, so that a wrong one can be told; else only `neighbours` says something."""
        return not (self.share == 0.0 and math.isnan(self.error))


@dataclass(frozen=True, slots=True)
class AugmentedScore(Measurement):
    """The training score on clean inputs beside that on augmented ones with the same weights (`error` is that of their
    difference). `trained_clean` is the score on validation rows (training rows where there are none) of a network trained on
    clean inputs alone for at most as long, `present` that of the network itself on the same rows, `present_error` that of
    their difference; NaN where not tried."""

    clean: float
    augmented: float
    trained_clean: float
    error: float
    chance: float
    present: float = math.nan
    present_error: float = math.nan


#: The name of the setting that answers float64 by float32.
WIDE_NUMBERS: Final = "float32"


@dataclass(frozen=True, slots=True)
class FasterSettings(Measurement):
    """Measured settings of this machine: seconds of a step as it is, and with each setting, on the real network and batch."""

    seconds: float
    names: tuple[str, ...]
    with_setting: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Regularised(Measurement):
    """The training loss in training mode and in evaluation mode at the same weights, beside the pull of the data and that
    of the penalty on the weights (norms of their gradients)."""

    training_loss: float
    evaluation_loss: float
    data_pull: float
    penalty_pull: float


@dataclass(frozen=True, slots=True)
class PartShift(Measurement):
    """Whether a simple classifier tells training from validation inputs, out of sample: its ROC AUC (0.5: it cannot) with the
    standard error, and the input that tells most ("" where none does by itself)."""

    auc: float
    error: float
    rows: int
    column: str = ""
