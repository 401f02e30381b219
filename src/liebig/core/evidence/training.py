"""What a training run shows: curves, losses, gradients, units, scores."""

from __future__ import annotations

from dataclasses import dataclass

from liebig.core.evidence.bag import Measurement


@dataclass(frozen=True, slots=True)
class EpochCurves(Measurement):
    """Curves by epoch, each [epochs]. Losses are means over rows (not over batches).

    `train_loss` is the mean of the training loss over the epoch (training mode, regularisation of the loss left out);
    `stop_loss` and `stop_metric` are of the stop part in evaluation mode with the weights that would be handed over,
    NaN where an epoch was not evaluated; `train_metric` likewise on a sample of at most 2,048 fit rows, `train_eval_loss`
    the loss on that sample in evaluation mode. `rates` is the learning rate at the end of each epoch. `seconds` since
    training began. `selected` is the epoch (0-based) whose weights are kept. `stop_rows` is the size of the stop part,
    `stop_loss_error` [epochs] the standard error of `stop_loss` over its rows.
    """

    train_loss: tuple[float, ...]
    stop_loss: tuple[float, ...]
    stop_metric: tuple[float, ...]
    train_metric: tuple[float, ...]
    train_eval_loss: tuple[float, ...]
    rates: tuple[float, ...]
    seconds: tuple[float, ...]
    selected: int
    planned_epochs: int
    stop_rows: int
    stop_loss_error: tuple[float, ...]
    higher_is_better: bool
    metric: str


@dataclass(frozen=True, slots=True)
class StepLosses(Measurement):
    """The batch loss, learning rate at chosen steps: each of the first ten, then geometrically spaced. All [looks].

    `batch_noise` is the standard deviation of the per-example loss within a batch divided by sqrt(batch): the swing
    that sampling alone gives. `batch` is the number of examples in a batch (0: not known).
    """

    steps: tuple[int, ...]
    loss: tuple[float, ...]
    batch_noise: tuple[float, ...]
    total_steps: int
    batch: int = 0


@dataclass(frozen=True, slots=True)
class InitialLoss(Measurement):
    """The loss before the first step, beside that of an answer that ignores its input.

    `baseline` is the loss of the class prior (or of the training mean). `output_scale` is the spread of the untrained
    outputs and `target_scale` that of the targets as the loss sees them (regression; 0 for classes).
    `target_mean` is the targets' mean as the loss sees them.
    """

    loss: float
    baseline: float
    output_scale: float
    target_scale: float
    target_mean: float = 0.0


@dataclass(frozen=True, slots=True)
class GradientNorms(Measurement):
    """Norm of the gradient of each weight tensor (biases left out), input side first: `norms[look][layer]`.

    `rms` is the same divided by the square root of the number of entries.
    """

    steps: tuple[int, ...]
    layers: tuple[str, ...]
    norms: tuple[tuple[float, ...], ...]
    rms: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class UpdateRatios(Measurement):
    """Norm of one step's change over norm of the weights, by layer: `ratios[look][layer]`; `rates` [looks] is the learning
    rate of each, empty where it was not read."""

    steps: tuple[int, ...]
    layers: tuple[str, ...]
    ratios: tuple[tuple[float, ...], ...]
    rates: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class WeightNorms(Measurement):
    """Norm of each weight matrix (biases left out), input side first: `norms[look][layer]`."""

    steps: tuple[int, ...]
    layers: tuple[str, ...]
    norms: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class LayerUnits(Measurement):
    """Statistics of one layer's units over one probe batch, at one step. All shares are of units.

    `dead` answers (next to) nothing on every probe sample; `saturated` the share of (unit, sample) pairs beyond +-5
    before a sigmoid or tanh; `mean`, `spread` of what enters the activation; `out_mean`, `out_spread` of what leaves it.
    `active_share` is the mean share of samples on which a unit is not zero. `histogram` holds counts of what leaves the
    activation between `edges` (len(edges) = len(histogram) + 1); empty where not taken.
    """

    layer: str
    activation: str
    units: int
    dead: float
    saturated: float
    active_share: float
    mean: float
    spread: float
    out_mean: float
    out_spread: float
    histogram: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitStatistics(Measurement):
    """`looks[i]` are the layers' statistics at `steps[i]`, input side first."""

    steps: tuple[int, ...]
    looks: tuple[tuple[LayerUnits, ...], ...]


@dataclass(frozen=True, slots=True)
class InitialWeights(Measurement):
    """The weights before step 0, by layer: standard deviation, that times sqrt(fan_in), share of duplicate rows
    (units that start alike), rank of the first gradient over the largest possible."""

    layers: tuple[str, ...]
    spread: tuple[float, ...]
    gain: tuple[float, ...]
    duplicate_units: tuple[float, ...]
    gradient_rank: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NonFinite(Measurement):
    """The first value that was not finite: where, when, and whether on the way forward or backward."""

    step: int
    layer: str
    tensor: str
    direction: str


@dataclass(frozen=True, slots=True)
class FinalScore(Measurement):
    """The score on the select part beside what it should beat. All oriented as the metric is, not turned.

    `chance` is the score of an answer that ignores its input; `error` the standard error of `score` over the select
    rows; `train_score` on (a sample of) the fit rows. `loss`, `chance_loss`, `train_loss` likewise for the loss that is
    judged (log-loss, or mean squared error in units of the target's variance). NaN where something is not known.
    """

    metric: str
    higher_is_better: bool
    score: float
    chance: float
    error: float
    train_score: float
    loss: float
    chance_loss: float
    loss_error: float
    train_loss: float
    select_rows: int
    train_rows: int


@dataclass(frozen=True, slots=True)
class ClassRecall(Measurement):
    """For each class its share of the training rows, its recall on the select part and how many rows that is over.

    `auc` is each class's ROC AUC against the rest: a rare class with low recall but high AUC is a matter of the threshold.
    """

    classes: tuple[str, ...]
    prior: tuple[float, ...]
    recall: tuple[float, ...]
    rows: tuple[int, ...]
    auc: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LearningCurve(Measurement):
    """The select loss of one recipe trained on growing parts of its rows, mean over blocks. Smallest part first.

    `rows` are training rows, `loss` the judged loss, `error` the standard error of that mean. `chance_loss` as in
    `FinalScore`.
    """

    rows: tuple[int, ...]
    loss: tuple[float, ...]
    error: tuple[float, ...]
    chance_loss: float


@dataclass(frozen=True, slots=True)
class ProbeCost(Measurement):
    """What watching cost: seconds spent looking, of how many in all, over `steps` steps. `watched` when the loop is the
    user's own, not Liebig's."""

    seconds: float
    total_seconds: float
    steps: int = 0
    watched: bool = False
