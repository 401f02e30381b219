"""What an answer is worth, whatever loss it was trained with: log-loss and accuracy of classes, squared error of numbers.

Whether answers are logits, probabilities or log-probabilities is read off them. A row of many answers (a sequence, a
picture) is judged by their mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

_TINY: Final = 1e-7
_TOLERANCE: Final = 1e-3


class Kind(StrEnum):
    """What is learnt: one of several classes, yes or no (once or for each of several labels), numbers."""

    CLASSES = "classes"
    BINARY = "binary"
    NUMBERS = "numbers"


class Scale(StrEnum):
    """What answers for classes are."""

    LOGITS = "logits"
    PROBABILITIES = "probabilities"
    LOG_PROBABILITIES = "log-probabilities"
    NEAR_PROBABILITIES = "near probabilities"  # numbers trained by squared error to be 0 and 1


@dataclass(frozen=True, slots=True)
class Judge:
    """How answers are judged. `class_dim` is the dimension of the classes in an answer; `variance`, `mean` are those of
    numbers in the training rows; `prior` [C] the classes' shares there."""

    kind: Kind
    scale: Scale
    class_dim: int
    soft: bool  # targets are probabilities, or one of C
    prior: tuple[float, ...] = ()
    mean: tuple[float, ...] = ()
    variance: float = 1.0

    @property
    def classes(self) -> int:
        return len(self.prior)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Rows judged: loss and correctness (classes) or squared error (numbers), float64 [n] each; `probabilities` [n, C] and
    `labels` [n] of rows that have one label each, None otherwise."""

    losses: Tensor
    chance_losses: Tensor
    correct: Tensor
    chance_correct: Tensor
    probabilities: Tensor | None
    labels: Tensor | None

    @property
    def loss(self) -> float:
        return float(self.losses.mean())

    @property
    def chance_loss(self) -> float:
        return float(self.chance_losses.mean())

    @property
    def loss_error(self) -> float:
        return standard_error(self.losses)


def standard_error(values: Tensor) -> float:
    """Standard error of the mean of `values` [n]; NaN for fewer than two."""
    return float(values.std() / math.sqrt(len(values))) if len(values) > 1 else math.nan


def judge_for(answer: Tensor, target: object, loss: float) -> Judge | str:
    """How `answer` to a batch with `target` is judged, `loss` being the user's loss of it; or why it cannot be."""
    if not isinstance(target, Tensor) or answer.is_complex() or not answer.is_floating_point():
        return "answers or targets are no tensors of numbers"
    found = _classes(answer, target)
    if found is not None:
        dim, soft = found
        made = _scale(answer, dim)
        if made is Scale.LOGITS and _is_regressed(answer, target, dim, soft, loss):
            made = Scale.NEAR_PROBABILITIES
        return Judge(Kind.CLASSES, made, dim, soft)
    if answer.numel() != target.numel():
        return f"answers {list(answer.shape)} and targets {list(target.shape)} do not belong to each other one by one"
    flat, true = answer.detach().double().reshape(-1), target.detach().double().reshape(-1)
    if bool(((true == 0) | (true == 1)).all()):
        scale = _binary_scale(flat, true, loss, whole=not target.is_floating_point())
        if scale is not None:
            return Judge(Kind.BINARY, scale, -1, False)
    if _are_logits_of_shares(flat, true):
        return "answers are logits of the targets, which are shares, and only the loss itself could judge them"
    return Judge(Kind.NUMBERS, Scale.LOGITS, -1, False)


def _are_logits_of_shares(flat: Tensor, true: Tensor) -> bool:
    """Whether answers that are far off as numbers are near as logits (a reconstruction's brightness, say)."""
    if not bool(((true >= 0) & (true <= 1)).all()) or not bool(flat.isfinite().all()):
        return False
    as_numbers, as_logits = (float((each - true).square().mean()) for each in (flat, flat.sigmoid()))
    return as_logits < 0.25 * as_numbers and as_logits < float(true.var(correction=0))


def _classes(answer: Tensor, target: Tensor) -> tuple[int, bool] | None:
    """The dimension of the classes and whether targets are soft; None where there are no classes."""
    if answer.dim() < 2:
        return None
    if not target.is_floating_point():
        if target.dim() == 2 and target.shape[1] == 1 and answer.dim() == 2 and answer.shape[1] > 1:
            return 1, False
        for dim in (answer.dim() - 1, 1):
            rest = (*answer.shape[:dim], *answer.shape[dim + 1 :])
            if rest == tuple(target.shape) and answer.shape[dim] > 1:
                return dim, False
    if answer.shape == target.shape and answer.dim() == 2 and answer.shape[1] > 1:
        true = target.detach().double()
        sums = true.sum(1)
        if bool((true >= 0).all()) and bool(((sums - 1).abs() < _TOLERANCE).all()):
            return 1, True
    return None


def _is_regressed(answer: Tensor, target: Tensor, dim: int, soft: bool, loss: float) -> bool:
    """Whether `loss` is the squared error against one of C."""
    last = answer.detach().double().movedim(dim, -1)
    if not soft and bool(((target < 0) | (target >= last.shape[-1])).any()):
        return False
    true = target.double() if soft else functional.one_hot(target.long().reshape(last.shape[:-1]), last.shape[-1])
    return math.isclose(float((last - true).square().mean()), loss, rel_tol=1e-3)


def _scale(answer: Tensor, dim: int) -> Scale:
    values = answer.detach().double()
    if bool((values >= -_TOLERANCE).all()) and bool(((values.sum(dim) - 1).abs() < _TOLERANCE).all()):
        return Scale.PROBABILITIES
    if bool((values <= _TOLERANCE).all()) and bool((values.logsumexp(dim).abs() < _TOLERANCE).all()):
        return Scale.LOG_PROBABILITIES
    return Scale.LOGITS


def _binary_scale(flat: Tensor, true: Tensor, loss: float, *, whole: bool) -> Scale | None:
    """What answers to yes-or-no targets are; None where they are numbers that happen to be 0 and 1."""
    if not bool(flat.isfinite().all()):
        return Scale.LOGITS if whole else None
    within = bool(((flat >= 0) & (flat <= 1)).all())
    as_logits = float(functional.binary_cross_entropy_with_logits(flat, true))
    if math.isclose(loss, as_logits, rel_tol=1e-3):
        return Scale.LOGITS
    if within:
        return Scale.PROBABILITIES
    return Scale.LOGITS if whole else None


def fitted(judge: Judge, answer: Tensor, target: Tensor) -> Judge:
    """The judge with what an answer that ignores its input knows of training rows: the prior, or mean and variance."""
    if judge.kind is Kind.NUMBERS:
        true = target.detach().double().reshape(len(target), -1)
        variance = float(true.var(0, correction=0).mean())
        return Judge(judge.kind, judge.scale, -1, False, (), tuple(true.mean(0).tolist()), max(variance, 1e-30))
    if judge.kind is Kind.BINARY:
        share = float(target.double().mean())
        return Judge(judge.kind, judge.scale, -1, False, (1 - share, share))
    count = answer.shape[judge.class_dim]
    labels = _labels(judge, target).reshape(-1)
    shares = torch.bincount(labels[labels >= 0].clamp(max=count - 1), minlength=count).double()
    return Judge(
        judge.kind, judge.scale, judge.class_dim, judge.soft, tuple((shares / shares.sum().clamp(min=1)).tolist())
    )


def ignorant(judge: Judge, answer: Tensor) -> Tensor:
    """The answer, of the shape and in the scale of `answer`, that says the prior or the mean in every row."""
    if judge.kind is Kind.NUMBERS:
        mean = torch.tensor(judge.mean, device=answer.device, dtype=answer.dtype)
        return mean.expand(len(answer), -1).reshape(answer.shape)
    prior = torch.tensor(judge.prior, device=answer.device, dtype=answer.dtype).clamp(1e-6, 1 - 1e-6)
    if judge.kind is Kind.BINARY:
        return torch.full_like(answer, float(prior[1].logit() if judge.scale is Scale.LOGITS else prior[1]))
    values = prior if judge.scale in {Scale.PROBABILITIES, Scale.NEAR_PROBABILITIES} else prior.log()
    return values.expand(*answer.movedim(judge.class_dim, -1).shape).movedim(-1, judge.class_dim).contiguous()


def _labels(judge: Judge, target: Tensor) -> Tensor:
    return target.argmax(1) if judge.soft else target.long()


def judged(judge: Judge, answer: Tensor, target: Tensor) -> Judged | None:
    """Judge the rows of `answer`; None where answers are not finite."""
    answer, target = answer.detach().cpu().double(), target.detach().cpu()
    if not bool(answer.isfinite().all()) or not len(answer):
        return None
    if judge.kind is Kind.NUMBERS:
        return _numbers(judge, answer, target)
    if judge.kind is Kind.BINARY:
        return _binary(judge, answer, target)
    return _of_classes(judge, answer, target)


def _numbers(judge: Judge, answer: Tensor, target: Tensor) -> Judged:
    true = target.double().reshape(len(target), -1)
    squares = (answer.reshape(true.shape) - true).square().mean(1)
    chance = (torch.tensor(judge.mean, dtype=torch.float64) - true).square().mean(1)
    return Judged(squares / judge.variance, chance / judge.variance, squares, chance, None, None)


def _binary(judge: Judge, answer: Tensor, target: Tensor) -> Judged:
    true = target.double().reshape(len(target), -1)
    flat = answer.reshape(true.shape)
    share = min(max(judge.prior[1], 1e-6), 1 - 1e-6)
    if judge.scale is Scale.LOGITS:
        losses = functional.binary_cross_entropy_with_logits(flat, true, reduction="none")
        yes = flat.sigmoid()
    else:
        yes = flat.clamp(_TINY, 1 - _TINY)
        losses = functional.binary_cross_entropy(yes, true, reduction="none")
    chance = -(true * math.log(share) + (1 - true) * math.log(1 - share))
    correct = ((yes > 0.5) == (true > 0.5)).double()
    likely = (true > 0.5).double() if share > 0.5 else (true <= 0.5).double()
    one = true.shape[1] == 1
    both = torch.cat([1 - yes, yes], 1) if one else None
    labels = true[:, 0].long() if one else None
    return Judged(losses.mean(1), chance.mean(1), correct.mean(1), likely.mean(1), both, labels)


def _of_classes(judge: Judge, answer: Tensor, target: Tensor) -> Judged:
    logs = log_probabilities(judge, answer.movedim(judge.class_dim, -1))
    labels = _labels(judge, target).reshape(logs.shape[:-1])
    known = (labels >= 0) & (labels < logs.shape[-1])  # -100 and the like stand for "no label"
    safe = labels.clamp(0, logs.shape[-1] - 1)
    losses = -logs.gather(-1, safe[..., None])[..., 0]
    prior = torch.tensor(judge.prior, dtype=torch.float64).clamp(min=1e-6)
    chance = -prior.log()[safe]
    correct = (logs.argmax(-1) == labels).double()
    likely = (labels == prior.argmax()).double()
    means = [_row_means(each, known) for each in (losses, chance, correct, likely)]
    single = labels.dim() == 1 and bool(known.all())
    return Judged(means[0], means[1], means[2], means[3], logs.exp() if single else None, labels if single else None)


def log_probabilities(judge: Judge, answer: Tensor) -> Tensor:
    """Log-probabilities of answers [..., C]."""
    if judge.scale is Scale.LOGITS:
        return answer.log_softmax(-1)
    if judge.scale is Scale.LOG_PROBABILITIES:
        return answer
    if judge.scale is Scale.NEAR_PROBABILITIES:
        near = answer.clamp(min=1e-2)
        return (near / near.sum(-1, keepdim=True)).log()
    return answer.clamp(min=_TINY).log()


def _row_means(values: Tensor, known: Tensor) -> Tensor:
    """The mean of each row over the places that have a label; rows without any are left out."""
    flat, mask = values.reshape(len(values), -1), known.reshape(len(values), -1).double()
    counts = mask.sum(1)
    rows = counts > 0
    return (flat * mask).sum(1)[rows] / counts[rows]
