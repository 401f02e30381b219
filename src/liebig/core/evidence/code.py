"""What really passes through a loop: loss calls, module flags, parameters in use, gradients before they are computed.

Faults in code are found here. A place in the user's code is "file.py:41", empty where Python does not know it.
"""

from __future__ import annotations

from dataclasses import dataclass

from liebig.core.evidence.bag import Measurement


@dataclass(frozen=True, slots=True)
class LossCall(Measurement):
    """One call of a loss function, as it was seen.

    `function` is torch's name ("cross_entropy", "mse_loss", ...; "by hand" where no loss function of torch was called).
    `made_by` is the last operation that made the first argument ("softmax", "log_softmax", "sigmoid", "relu", ...; empty
    where it is none of those). `input_shape`, `target_shape` are as given, `result_shape` that before the reduction (it is
    larger than both where a shape was broadcast). `low`, `high` of the input; `sums_low`, `sums_high` of its sums over
    the class dimension (NaN for one without classes; of the probabilities that stand behind where the function takes their
    logarithms and none is above 0); `target_low`, `target_high` likewise; `target_whole` when every
    target is a whole number. `loss` is what came out, `rows` the examples. `smoothing` is its label smoothing, `reduction`
    "mean", "sum" or "none"; `target_sums_low`, `target_sums_high` are the sums over the class dimension of a target that has
    the input's shape (1 and 1 for one-hot ones). `failed` is torch's message where the call raised; then `loss` is NaN.
    """

    function: str
    place: str
    step: int
    training: bool
    made_by: str
    input_shape: tuple[int, ...]
    target_shape: tuple[int, ...]
    result_shape: tuple[int, ...]
    low: float
    high: float
    sums_low: float
    sums_high: float
    target_low: float
    target_high: float
    target_whole: bool
    loss: float
    rows: int
    smoothing: float = 0.0
    reduction: str = "mean"
    target_sums_low: float = float("nan")
    target_sums_high: float = float("nan")
    failed: str = ""


@dataclass(frozen=True, slots=True)
class LossCalls(Measurement):
    """The loss calls of the looks, in order."""

    calls: tuple[LossCall, ...]


@dataclass(frozen=True, slots=True)
class ModuleModes(Measurement):
    """In which mode the network's forward passes were made, counted over those that were seen.

    `trained` are passes whose answer led to a step, `evaluated` those without gradient on rows that no step used;
    `*_in_training` those of them with the training flag on. `sensitive` names the layers whose answer depends on the flag
    (dropout, batch statistics); `switched_off` those of them that stood in evaluation mode while the network trained.
    `place` is where the last evaluating pass was called from.
    """

    trained: int
    trained_in_training: int
    evaluated: int
    evaluated_in_training: int
    sensitive: tuple[str, ...]
    switched_off: tuple[str, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class ParameterUse(Measurement):
    """Which parameters are trained: names, and numbers of values.

    `frozen` do not require a gradient; `left_out` require one but stand in no watched optimizer; `without_gradient` stand in
    one, and at no look had a gradient; `unmoved` had one and kept every value; `elsewhere` is the number of tensors in the
    optimizers that are not the network's own. `values` counts all values of the network, `trained_values` those that moved.
    `head_only` is True when all that moves is the last layer. `unregistered` are layers ("Linear(64, 64)") whose
    parameters the forward pass uses though they are not the network's own: layers in a plain list. `fresh` are those of
    `frozen` and `left_out` whose weights still look like a random start (its bound or its spread): never trained at all,
    which a backbone that is frozen on purpose is not.
    """

    names: tuple[str, ...]
    frozen: tuple[str, ...]
    left_out: tuple[str, ...]
    without_gradient: tuple[str, ...]
    unmoved: tuple[str, ...]
    elsewhere: int
    values: int
    trained_values: int
    head_only: bool
    unregistered: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GradientClearing(Measurement):
    """Whether gradients were there before the backward pass that begins a step's work.

    `steps` that were seen closely; `kept` of them began with the whole gradient of the step before; `backward_calls` is
    the median number of backward passes between two steps (above 1: accumulation); `growth` is the norm of the gradient
    late over that at the start.
    """

    steps: int
    kept: int
    backward_calls: float
    growth: float
    place: str = ""


@dataclass(frozen=True, slots=True)
class SkippedSteps(Measurement):
    """Mixed precision: steps that the gradient scaler left out because a gradient was not finite, of those that were seen."""

    skipped: int
    seen: int
    scale: float


@dataclass(frozen=True, slots=True)
class SharedRows(Measurement):
    """Rows seen in evaluation that were trained on as well, found by their hashes. `share` is of the `rows` evaluated that
    were compared with `among` trained ones; where a loop evaluates several sets, of the set that shares least."""

    rows: int
    share: float
    among: int


@dataclass(frozen=True, slots=True)
class PartScales(Measurement):
    """The inputs of passes that led to a step beside those of passes that judged the network: mean and standard deviation
    of each feature or channel, over `rows` and `other_rows` rows that were seen."""

    columns: tuple[str, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    other_mean: tuple[float, ...]
    other_spread: tuple[float, ...]
    rows: int
    other_rows: int
