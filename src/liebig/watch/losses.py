"""Loss functions as torch has them: where their input and target stand, what each example costs, what chance costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from liebig.core.evidence import InitialLoss, LossCall

#: Loss functions whose first two arguments are the answers and the targets, by torch's name.
NAMES: Final = frozenset(
    {
        "cross_entropy", "nll_loss", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy",
        "binary_cross_entropy_with_logits", "kl_div", "poisson_nll_loss", "gaussian_nll_loss", "soft_margin_loss",
        "multilabel_soft_margin_loss", "multi_margin_loss", "multilabel_margin_loss", "hinge_embedding_loss", "ctc_loss",
    }
)  # fmt: skip
BY_HAND: Final = "by hand"
_WITH_CLASSES: Final = frozenset({"cross_entropy", "nll_loss", "multi_margin_loss"})
_OF_LOGARITHMS: Final = frozenset({"nll_loss", "kl_div"})
_OF_BITS: Final = frozenset({"binary_cross_entropy", "binary_cross_entropy_with_logits"})
_SAMPLE: Final = 256  # examples of a batch of which details are taken
_CLASSES: Final = 4096  # of more classes no shares are counted
_TARGETS: Final = 1_000_000  # of more targets a part is looked through
_KEPT: Final = 64  # real targets of a look that are kept of each column
_COLUMNS: Final = 64  # of more columns of real targets some are kept
_NUMBERS: Final = 1_024  # real targets of a look that are kept in all
_FACTS: Final = 9


@dataclass(frozen=True, slots=True, eq=False)
class SeenLoss:
    """One loss call as it was seen, its numbers still on the device.

    `each` are the losses of a sample of examples [B], of `rows` in all. `facts` [9]: low, high, lowest and highest sum over
    the classes, the same four of the target, and 1 where all targets are whole; None where only the loss was read.
    `counts` [C] are targets by class, `numbers` [n, m] a sample of real targets, m columns; `spread` that of the answers. `squared` is the
    mean squared difference of answers and targets, where a loss was worked out by hand.
    """

    function: str
    place: str
    step: int
    training: bool
    made_by: str
    input_shape: tuple[int, ...]
    target_shape: tuple[int, ...]
    result_shape: tuple[int, ...]
    rows: int
    smoothing: float
    reduction: str
    each: Tensor | None
    value: Tensor | None
    facts: Tensor | None
    counts: Tensor | None
    numbers: Tensor | None
    spread: Tensor | None
    failed: str = ""
    squared: Tensor | None = None

    def told(self) -> LossCall | None:
        """As evidence; None where the details were not read."""
        if self.facts is None and not self.failed:
            return None
        values = [math.nan] * _FACTS if self.facts is None else self.facts.tolist()
        low, high, sums_low, sums_high, target_low, target_high, target_sums_low, target_sums_high, whole = values
        loss = math.nan if self.value is None else float(self.value)
        return LossCall(
            self.function, self.place, self.step, self.training, self.made_by, self.input_shape, self.target_shape,
            self.result_shape, low, high, sums_low, sums_high, target_low, target_high, bool(whole == 1.0), loss, self.rows,
            self.smoothing, self.reduction, target_sums_low, target_sums_high, self.failed,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """What a call of a loss function was given."""

    function: Callable[..., Any]
    name: str
    input: Tensor
    target: Tensor
    options: Mapping[str, Any] = field(default_factory=dict)


#: Position of the options that are read, where they are not given by name.
_POSITIONS: Final = {
    "cross_entropy": ("input", "target", "weight", "size_average", "ignore_index", "reduce", "reduction", "label_smoothing"),
    "nll_loss": ("input", "target", "weight", "size_average", "ignore_index", "reduce", "reduction"),
    "binary_cross_entropy": ("input", "target", "weight", "size_average", "reduce", "reduction"),
    "binary_cross_entropy_with_logits": ("input", "target", "weight", "size_average", "reduce", "reduction", "pos_weight"),
    "huber_loss": ("input", "target", "reduction", "delta"),
}  # fmt: skip
_USUAL: Final = ("input", "target", "size_average", "reduce", "reduction")
_READ: Final = ("weight", "ignore_index", "reduction", "label_smoothing", "pos_weight", "delta", "beta", "log_target")


def call_of(function: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call | None:
    """The call in parts; None where it is not of the usual form."""
    given = {**dict(zip(_POSITIONS.get(name, _USUAL), args, strict=False)), **kwargs}
    answers, target = given.get("input", given.get("log_probs")), given.get("target", given.get("targets"))
    if not isinstance(answers, Tensor) or not isinstance(target, Tensor):
        return None
    options = {option: given[option] for option in _READ if given.get(option) is not None}
    return Call(function, name, answers.detach(), target.detach(), options)


def seen_loss(
    call: Call, result: Tensor | None, *, made_by: str, place: str, step: int, training: bool, rows: int, details: bool
) -> SeenLoss:
    """Read a call: each example's loss, and with `details` what goes in. Nothing here waits for the device."""
    answers, target = call.input, call.target
    value = None if result is None else _mean(result.detach(), call, target)
    shape = _before_reduction(call)
    facts = counts = numbers = spread = None
    with torch.no_grad():
        each = _each(call, value)
        if details:
            facts = _facts(answers, target, call.name in _OF_LOGARITHMS)
        if call.name in _WITH_CLASSES or call.name in _OF_BITS:
            counts = _counts(call)
        elif answers.shape[0] > 0 and target.numel() > 0:
            numbers = _numbers(target)
            spread = _sample(answers, _SAMPLE).float().std(correction=0)
        if spread is None and details:
            spread = _sample(answers, _SAMPLE).float().std(correction=0)
    return SeenLoss(
        call.name, place, step, training, made_by, tuple(answers.shape), tuple(target.shape), shape,
        rows or (answers.shape[0] if answers.dim() else 1), float(call.options.get("label_smoothing", 0.0)),
        str(call.options.get("reduction", "mean")), each, value, facts, counts, numbers, spread,
        squared=_squared(call) if call.name == BY_HAND else None,
    )  # fmt: skip


def failed_loss(call: Call, message: str, *, made_by: str, place: str, step: int, training: bool) -> SeenLoss:
    """A call that raised."""
    facts = None
    if call.target.numel() and call.input.numel() and call.input.device.type == "cpu":
        with torch.no_grad():
            facts = _facts(call.input, call.target, call.name in _OF_LOGARITHMS)
    return SeenLoss(
        call.name, place, step, training, made_by, tuple(call.input.shape), tuple(call.target.shape), (),
        call.input.shape[0] if call.input.dim() else 1, float(call.options.get("label_smoothing", 0.0)),
        str(call.options.get("reduction", "mean")), None, None, facts, None, None, None, message,
    )  # fmt: skip


def _mean(result: Tensor, call: Call, target: Tensor) -> Tensor:
    """What an example costs, whatever the reduction."""
    if result.dim() > 0:
        return result.float().mean()
    if call.options.get("reduction") == "sum":
        size = target.numel() if call.name in _WITH_CLASSES else max(1, math.prod(_before_reduction(call)))
        return result.float() / max(1, size)
    return result.float()


def _before_reduction(call: Call) -> tuple[int, ...]:
    if call.name in _WITH_CLASSES:
        same = call.input.shape == call.target.shape
        return (
            (call.target.shape[0], *call.target.shape[2:])
            if same and call.target.dim() > 1
            else tuple(call.target.shape)
        )
    try:
        return tuple(np.broadcast_shapes(call.input.shape, call.target.shape))
    except ValueError:
        return ()


def _each(call: Call, value: Tensor | None) -> Tensor | None:
    """Losses of a sample of examples [B], their mean that of the whole call; the mean alone where that cannot be done."""
    if value is None:
        return None
    alone = value.reshape(1)
    if call.name == BY_HAND or call.name in {"ctc_loss", "kl_div"} or call.input.dim() == 0:
        return alone
    stride = max(1, call.input.shape[0] // _SAMPLE)
    if stride > 1 and call.input.shape[0] != call.target.shape[0]:
        return alone
    options = {**call.options, "reduction": "none"}
    if call.name in _OF_BITS:
        options.pop("weight", None)
    try:
        each: Tensor = call.function(call.input[::stride], call.target[::stride], **options)
    except (RuntimeError, TypeError, ValueError, IndexError):
        return alone
    each = each.float().reshape(each.shape[0], -1).mean(dim=1) if each.dim() else each.reshape(1).float()
    if each.numel() < 2:
        return alone
    return each + (value - each.mean())


def _squared(call: Call) -> Tensor | None:
    if not call.target.is_floating_point() or call.input.shape != call.target.shape:
        return None
    with torch.no_grad():
        return (_sample(call.input, _TARGETS) - _sample(call.target, _TARGETS)).float().square().mean()


def _facts(answers: Tensor, target: Tensor, logarithms: bool) -> Tensor:
    """[9] float64, or float32 where the device has nothing wider."""
    wide = torch.float32 if answers.device.type == "mps" else torch.float64
    sample, goal = _sample(answers, _SAMPLE), _sample(target, _TARGETS)
    low, high = _ends(sample)
    goal_low, goal_high = _ends(goal)
    sums = _ends(_over_classes(sample, logarithms)) if sample.dim() > 1 and sample.shape[1] > 1 else None
    same = target.shape == answers.shape and target.dim() > 1 and target.shape[1] > 1
    goal_sums = _ends(_sample(target, _SAMPLE).float().sum(dim=1)) if same else None
    if goal.is_floating_point():
        whole = (goal == goal.round()).all()
    else:
        whole = torch.ones((), dtype=torch.bool, device=goal.device)
    nothing = torch.full((), math.nan, dtype=wide, device=answers.device)
    parts = [low, high, *(sums or (nothing, nothing)), goal_low, goal_high, *(goal_sums or (nothing, nothing)), whole]
    return torch.stack([part.to(answers.device, wide) for part in parts])


def _over_classes(answers: Tensor, logarithms: bool) -> Tensor:
    """Sums over the classes; of the probabilities that stand behind, where answers can be the logarithms that a loss takes."""
    sums = answers.float().sum(dim=1)
    return torch.where(answers.max() <= 0, answers.float().exp().sum(dim=1), sums) if logarithms else sums


def _ends(values: Tensor) -> tuple[Tensor, Tensor]:
    if values.numel() == 0:
        nothing = torch.full((), math.nan, device=values.device)
        return nothing, nothing
    if values.dtype == torch.bool or values.is_complex():
        values = values.to(torch.uint8) if values.dtype == torch.bool else values.abs()
    low, high = torch.aminmax(values)
    return low, high


def _sample(values: Tensor, most: int) -> Tensor:
    """At most `most` entries of the first dimension, evenly spread."""
    if values.dim() == 0:
        return values.reshape(1)
    return values[:: max(1, -(-values.shape[0] // most))]


def _numbers(target: Tensor) -> Tensor:
    """Some rows and columns of real targets [n, m], each evenly spread: an answer that ignores its input has one number for
    each column, and what is taken across columns in step with their number would show some of them only."""
    table = _sample(target, target.numel()).reshape(target.shape[0] if target.dim() else 1, -1)
    table = table[:, :: max(1, -(-table.shape[1] // _COLUMNS))]
    return _sample(table, min(_KEPT, max(1, _NUMBERS // table.shape[1]))).float()


def _counts(call: Call) -> Tensor | None:
    """Targets by class [C]; for bits (share of 0, share of 1). None where there are no classes to count."""
    answers, target = call.input, call.target
    if call.name in _OF_BITS:
        if answers.dim() > 1 and answers.shape[1] > 1:
            return None
        ones = target.float().sum()
        return torch.stack([target.numel() - ones, ones])
    classes = answers.shape[1] if answers.dim() > 1 else answers.shape[0]
    if classes > _CLASSES:
        return None
    if target.is_floating_point():
        return target.float().reshape(target.shape[0], classes, -1).sum(dim=(0, 2)) if target.dim() > 1 else None
    codes = target.reshape(-1)
    valid = (codes >= 0) & (codes < classes)
    counts = torch.zeros(classes, device=codes.device)
    return counts.scatter_add_(0, codes.clamp(0, classes - 1), valid.float())


def class_shares(calls: Sequence[SeenLoss]) -> tuple[float, ...]:
    """Shares of the classes among the targets of all these calls; empty where no call counted classes."""
    counted = [call.counts for call in calls if call.counts is not None]
    if not counted:
        return ()
    same = [counts for counts in counted if counts.shape == counted[0].shape]
    total = torch.stack([counts.to(same[0].device) for counts in same]).sum(dim=0).double().tolist()
    every = sum(total)
    return tuple(count / every for count in total) if every > 0 else ()


def initial_loss(first: SeenLoss, calls: Sequence[SeenLoss]) -> InitialLoss | None:
    """The loss of the first step beside that of the best answer that ignores its input, in the user's own loss.

    The shares of the classes, and the spread of real targets, are pooled over all `calls` of the same function: one batch
    alone knows them badly. None for a loss whose constant answer is not known.
    """
    if first.value is None:
        return None
    alike = [call for call in calls if call.function == first.function]
    loss, answers = float(first.value), math.nan if first.spread is None else float(first.spread)
    if first.function in {"cross_entropy", "nll_loss"} or first.function in _OF_BITS:
        shares = class_shares(alike)
        if not shares:
            return None
        even = first.smoothing / len(shares)
        smoothed = [(1.0 - first.smoothing) * share + even for share in shares]
        return InitialLoss(loss, -sum(share * math.log(share) for share in smoothed if share > 0), answers, 0.0)
    values = [call.numbers for call in alike if call.numbers is not None]
    if not values:
        return None
    targets = torch.cat([each.double().cpu() for each in values if each.shape[1] == values[0].shape[1]])
    centre, spread = float(targets.mean()), float(targets.std(correction=0))
    by_squares = first.squared is not None and math.isclose(float(first.squared), loss, rel_tol=1e-3)
    if first.function == "mse_loss" or (first.function == BY_HAND and by_squares):
        baseline = float(targets.var(0, correction=0).mean())
    elif first.function in {"l1_loss", "smooth_l1_loss", "huber_loss"}:
        middles = targets.new_tensor([median(column) for column in targets.T.tolist()])
        baseline = float((targets - middles).abs().mean())
    else:
        return None
    return InitialLoss(loss, baseline, answers, spread, centre)
