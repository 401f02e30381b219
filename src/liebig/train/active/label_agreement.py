"""Agreement of the labels with answers out of sample.

Does: predicts each training row by a model that has not seen its label: its nearest neighbours, and, where these leave a doubt or do
  not apply, copies of the network trained on the other rows (three folds). Whichever has the lower log-loss counts. Rows are
  ranked, within each predicted class, by how sure the prediction is.
Shows: the share of wrong labels. Where classes overlap, labels contradict unsure predictions and agree with sure ones; a wrong
  label contradicts sure predictions as often as others. So the share is the error among the surest third, less twice by what it
  rises from there to the next third: a flat error is noise, a rising one is hard data.
Misleads: signals so weak that no region is sure cannot be told from noise. A wrong label that follows from the inputs (a whole kind of
  row mislabelled) is learnt as if it were right.
Source: Northcutt, Jiang & Chuang 2021, arXiv:1911.00068 (confident joint, thresholds by class); Liu & Tao 2016, arXiv:1411.7718
  (noise rates from where a class is certain); Cover & Hart 1967 (nearest neighbours).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from liebig.core.evidence import LabelAgreement
from liebig.train.active.class_recall import class_names
from liebig.train.active.judging import judged, standard_error
from liebig.train.active.learning import learn, optimizers_at
from liebig.train.active.nested import tensors_of
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.rows import Rows, endless_rows
from liebig.train.active.workbench import Bench, Refused, train_mode

_LEAST_ROWS: Final = 60
_NEIGHBOURS: Final = 12
_FEATURES: Final = 256  # a longer row is projected on so many directions
_FOLDS: Final = 3
_STEPS: Final = 200
_LEAST: Final = 40
_EPOCHS: Final = 8
_RISE: Final = 2.0  # how much of the rise from the surest third to the next counts as overlap of classes
_DOUBT: Final = 0.03  # a share below which neighbours are believed without training copies
_SKILL: Final = 3.0  # standard errors above chance from which on predictions tell anything
_SUSPECTS: Final = 20


class LabelAgreementProbe(ActiveProbe):
    """Share of wrong labels with its standard error, and the most suspect rows."""

    makes = LabelAgreement
    share = 0.3

    def measure(self, bench: Bench) -> LabelAgreement:
        judge = bench.judging()
        if not judge.prior:
            raise Refused("the target is a number")
        if not bench.train.is_table or bench.train.count < _LEAST_ROWS:
            raise Refused(f"there are fewer than {_LEAST_ROWS} rows that can be put together anew")
        labels = _labels(bench)
        near = _by_neighbours(bench, labels)
        if near is not None and _has_skill(near, labels) and noise_share(near, labels).share < _DOUBT:
            return _told(bench, near, labels, near)
        if (near is None or not _has_skill(near, labels)) and _is_at_chance(bench):
            return _nothing_told(
                near, labels, "neither the network nor its nearest rows predict a label better than chance"
            )
        found = [each for each in (near, _by_copies(bench, near is not None)) if each is not None]
        best = min(found, key=lambda each: _log_loss(each, labels))
        if not _has_skill(best, labels):
            return _nothing_told(
                near,
                labels,
                "nothing that was tried predicts a label better than chance, so that a wrong one cannot be told",
            )
        return _told(bench, best, labels, near)


def _is_at_chance(bench: Bench) -> bool:
    """Whether the network as it is does no better on rows for evaluation than an answer that ignores its input."""
    valid = bench.valid_judged
    if valid is None:
        return False
    gain = valid.correct - valid.chance_correct
    return float(gain.mean()) < _SKILL * max(standard_error(gain), 1e-9)


def _nothing_told(near: Tensor | None, labels: Tensor, why: str) -> LabelAgreement:
    """That the nearest rows say nothing, which is worth knowing by itself. Raises Refused where there are none to ask."""
    if near is None:
        raise Refused(why)
    return LabelAgreement(len(labels), 0.0, math.nan, (), neighbours=_skill(near, labels))


@dataclass(frozen=True, slots=True)
class NoiseShare:
    """The estimated share of wrong labels and its standard error; `sure` of the labels agree with the surest third."""

    share: float
    error: float
    sure: float = math.nan


def noise_share(probabilities: Tensor, labels: Tensor) -> NoiseShare:
    """The share of wrong labels [n], given predictions out of sample [n, C]."""
    sureness, guesses = probabilities.max(1)
    wrong = (guesses != labels).double()
    ranks = torch.zeros(len(labels), dtype=torch.float64)
    for guess in torch.unique(guesses):
        own = (guesses == guess).nonzero()[:, 0]
        surest_first = sureness[own].argsort(descending=True)
        ranks[own[surest_first]] = (torch.arange(len(own), dtype=torch.float64) + 0.5) / len(own)
    sure, next_sure = wrong[ranks < 1 / 3], wrong[(ranks >= 1 / 3) & (ranks < 2 / 3)]
    if not len(sure) or not len(next_sure):
        return NoiseShare(0.0, math.nan)
    low, middle = float(sure.mean()), float(next_sure.mean())
    errors = [math.sqrt(max(p * (1 - p), 1 / len(part)) / len(part)) for p, part in ((low, sure), (middle, next_sure))]
    # A rise within its own error is none: taken for one it would hide noise as often as it would show overlap.
    rise, by_chance = middle - low, math.hypot(*errors)
    share = min(max(low - _RISE * max(rise - by_chance, 0.0), 0.0), 1.0)
    # How far the estimate leans on the rise: not at all where the error clearly falls, wholly where it clearly rises.
    lean = _RISE * min(max(0.5 + rise / (2 * by_chance), 0.0), 1.0)
    return NoiseShare(share, math.hypot((1 + lean) * errors[0], lean * errors[1]), 1.0 - low)


def _told(bench: Bench, probabilities: Tensor, labels: Tensor, near: Tensor | None) -> LabelAgreement:
    found = noise_share(probabilities, labels)
    return LabelAgreement(
        len(labels), found.share, found.error, _suspects(bench, probabilities, labels, found.share), found.sure,
        math.nan if near is None else _skill(near, labels),
    )  # fmt: skip


def _suspects(bench: Bench, probabilities: Tensor, labels: Tensor, share: float) -> tuple[tuple[int, str, str], ...]:
    """Rows whose label a prediction contradicts that is surer of another class than rows of that class are on average: the
    furthest apart first."""
    own = probabilities.gather(1, labels[:, None])[:, 0]
    count = probabilities.shape[1]
    thresholds = torch.stack(
        [own[labels == i].mean() if (labels == i).any() else own.new_tensor(2.0) for i in range(count)]
    )
    others = torch.where(probabilities >= thresholds, probabilities, -1.0).scatter(1, labels[:, None], -1.0)
    likelier, instead = others.max(1)
    order = torch.where(likelier > own, likelier - own, -1.0).argsort(descending=True)
    names, numbers = class_names(bench), bench.train.numbers
    most = min(_SUSPECTS, math.ceil(share * len(labels)))
    chosen = [i for i in order[:most].tolist() if likelier[i] > own[i]]
    return tuple((numbers[i] if numbers else i, names[int(labels[i])], names[int(instead[i])]) for i in chosen)


def _labels(bench: Bench) -> Tensor:
    """The label of each training row [n], on the CPU. Raises Refused where a row has none, or several."""
    judge = bench.judging()
    target: Tensor = bench.passing.split(bench.train.batch).target
    labels: Tensor = (target.argmax(1) if judge.soft else target).detach().cpu().long()
    if labels.dim() > 1 and labels[0].numel() == 1:
        labels = labels.reshape(len(labels))
    if labels.dim() > 1 or bool((labels < 0).any()) or int(labels.max()) >= judge.classes:
        raise Refused("a row has more than one label, or none")
    return labels


def _by_neighbours(bench: Bench, labels: Tensor) -> Tensor | None:
    """Predictions [n, C] from the nearest other rows; None where the inputs are not one tensor of real numbers."""
    parts = bench.passing.split(bench.train.batch)
    tensors = tensors_of([parts.inputs, {name: each for name, each in parts.named.items() if each is not parts.target}])
    if len(tensors) != 1 or not (tensors[0].is_floating_point() or tensors[0].dtype is torch.uint8):
        return None
    flat = tensors[0].detach().cpu().float().reshape(len(labels), -1)
    if not bool(flat.isfinite().all()):
        return None
    flat = (flat - flat.mean(0)) / flat.std(0).clamp(min=1e-6)
    if flat.shape[1] > _FEATURES:
        generator = torch.Generator().manual_seed(8)
        flat = flat @ (torch.randn(flat.shape[1], _FEATURES, generator=generator) / _FEATURES**0.5)
    apart = torch.cdist(flat, flat).fill_diagonal_(float("inf"))
    near = apart.topk(min(_NEIGHBOURS, len(labels) - 1), largest=False)
    weights = 1.0 / (near.values / near.values[:, -1:].clamp(min=1e-12) + 0.2)
    count = bench.judging().classes
    votes = (functional.one_hot(labels[near.indices], count) * weights[..., None]).sum(1) + 0.5 / count
    # Where neighbours agree, the nearer they are the surer: farther rows have smaller weights in all.
    return (votes / votes.sum(1, keepdim=True)).double()


def _by_copies(bench: Bench, may_fail: bool) -> Tensor | None:
    """Predictions [n, C] of copies trained without the row. None where that is refused and `may_fail`."""
    try:
        return _cross_fitted(bench)
    except Refused:
        if may_fail:
            return None
        raise


def _cross_fitted(bench: Bench) -> Tensor:
    judge, rows = bench.judging(), bench.train
    fit_rows = rows.count * (_FOLDS - 1) // _FOLDS
    most = max(_LEAST, min(_STEPS, _EPOCHS * fit_rows // max(1, bench.batch)))
    steps = bench.steps_within(0.8 / _FOLDS, most, _LEAST)
    order = torch.randperm(rows.count, generator=bench.generator(9))
    found = torch.full((rows.count, judge.classes), math.nan, dtype=torch.float64)
    for fold in range(_FOLDS):
        held = order[fold::_FOLDS].sort().values
        fit = torch.cat([order[other::_FOLDS] for other in range(_FOLDS) if other != fold])
        bench.copy.to_start()
        train_mode(bench)
        chosen = islice(endless_rows(len(fit), bench.batch, bench.generator(10)), steps)
        losses = learn(bench, optimizers_at(bench, bench.rate), (rows.take(fit[each]) for each in chosen))
        if len(losses) < steps:
            raise Refused("the copies did not train to their end")
        answers, targets = bench.answers(Rows(len(held), len(held), rows.take(held), ()), len(held))
        seen = judged(judge, answers, targets)
        if seen is None or seen.probabilities is None or len(seen.probabilities) != len(held):
            raise Refused("the copies' answers cannot be judged")
        found[held] = seen.probabilities
    return found


def _log_loss(probabilities: Tensor, labels: Tensor) -> float:
    return float(-probabilities.gather(1, labels[:, None]).clamp(min=1e-6).log().mean())


def _has_skill(probabilities: Tensor, labels: Tensor) -> bool:
    """Whether predictions are right clearly more often than the commonest class is."""
    right = float((probabilities.argmax(1) == labels).double().mean())
    return _skill(probabilities, labels) > _SKILL or right > 1 - 1 / len(labels)


def _skill(probabilities: Tensor, labels: Tensor) -> float:
    """By how many standard errors predictions are right more often than the commonest class is."""
    right = float((probabilities.argmax(1) == labels).double().mean())
    likely = float(labels.bincount().max()) / len(labels)
    least = max(likely, 1.0 / max(2, len(torch.unique(labels))))
    return (right - least) / math.sqrt(max(least * (1 - least), 1e-4) / len(labels))
