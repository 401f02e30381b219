"""Shuffled inputs.

Does: trains a copy as the network was trained (its optimizer, its largest rate, its batch) for some steps on the true pairs; and from
  the same start, on the same labels in the same order, with the inputs exchanged between rows. Both are judged on the same rows.
Shows: whether what the network learns from its inputs carries over to other rows: where true pairs are no better than exchanged
  ones, inputs and labels do not belong together, or these inputs say nothing about the labels.
Misleads: a start or a rate at which nothing is learnt gives the same: read beside the score on the training rows.
Source: Ojala & Garriga 2010, JMLR 11 (permutation tests); Zhang et al. 2017, arXiv:1611.03530.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import torch
from torch import Tensor

from liebig.core.evidence import ShuffledInputs
from liebig.train.active.judging import Judged, standard_error
from liebig.train.active.learning import learn, optimizers_at
from liebig.train.active.nested import mapped, tensors_of
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.rows import Rows, endless_rows
from liebig.train.active.workbench import Bench, Refused, train_mode

_STEPS: Final = 160
_LEAST: Final = 40
_EPOCHS: Final = 8.0  # at most: longer, and small data are learnt by heart, which carries nothing over
_PARTS: Final = 4  # of the steps, after each of which both are judged
_HELD_OUT: Final = 0.25  # of the training rows, where there are none for evaluation


class ShuffledInputsProbe(ActiveProbe):
    """Select loss on true pairs beside that on exchanged ones; the best of a few moments, the same for both."""

    makes = ShuffledInputs
    share = 0.25

    def measure(self, bench: Bench) -> ShuffledInputs:
        bench.judging()
        if not bench.train.is_table or bench.train.count < 20:
            raise Refused("there are fewer than twenty rows that can be put together anew")
        fit, select = _parts(bench)
        most = max(_LEAST, min(_STEPS, int(_EPOCHS * len(fit) / bench.batch)))
        steps = bench.steps_within(0.4, most, min(_LEAST, most))
        order = torch.randperm(len(fit), generator=bench.generator(4))
        true, true_steps = _learnt(bench, fit, None, select, steps)
        shuffled, _ = _learnt(bench, fit, fit[order], select, true_steps)
        error = standard_error(true.losses - shuffled.losses)
        return ShuffledInputs(true.loss, shuffled.loss, true.chance_loss, error, true_steps)


def _parts(bench: Bench) -> tuple[Tensor, Rows]:
    """Rows to train on, and rows to judge on."""
    if bench.valid is not None:
        return torch.arange(bench.train.count), bench.valid
    order = torch.randperm(bench.train.count, generator=bench.generator(5))
    cut = max(10, int(_HELD_OUT * len(order)))
    held = bench.train.take(order[:cut])
    return order[cut:], Rows(cut, cut, held, ())


def _learnt(bench: Bench, fit: Tensor, others: Tensor | None, select: Rows, steps: int) -> tuple[Judged, int]:
    """Train on `fit` with the inputs of `others` in their place, and judge the best moment; the steps that were done."""
    bench.copy.to_start()
    optimizers = optimizers_at(bench, bench.rate)
    batches = _batches(bench, fit, others)
    best: Judged | None = None
    done = 0
    for part in range(1, _PARTS + 1):
        train_mode(bench)
        losses = learn(bench, optimizers, islice(batches, steps * part // _PARTS - done))
        done += len(losses)
        if not losses or not math.isfinite(losses[-1]):
            break
        now = bench.judged(select, 1_024)
        if now is not None and (best is None or now.loss < best.loss):
            best = now
        if bench.clock.left() < 0:
            break
    if best is None:
        raise Refused("the copy's answers are not finite")
    return best, done


def _batches(bench: Bench, fit: Tensor, others: Tensor | None) -> Iterator[Any]:
    for rows in endless_rows(len(fit), bench.batch, bench.generator(6)):
        batch = bench.train.take(fit[rows])
        yield batch if others is None else crossed(bench, batch, bench.train.take(others[rows]))


def crossed(bench: Bench, batch: Any, other: Any) -> Any:
    """`batch` with the inputs of `other`: the target stays, every other tensor is exchanged.

    Raises Refused where the target cannot be told from the inputs.
    """
    kept = {id(each) for each in tensors_of(bench.passing.split(batch).target)}
    given = {id(each) for each in tensors_of(bench.passing.split(batch).inputs)}
    if not kept or kept & given:
        raise Refused("the target is the input itself")
    swap = iter(tensors_of(other))

    def change(tensor: Tensor) -> Tensor:
        instead = next(swap)
        return tensor if id(tensor) in kept else instead

    return mapped(change, batch)
