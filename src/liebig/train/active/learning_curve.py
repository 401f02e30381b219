"""A short learning curve.

Does: trains copies from the starting weights as the network was trained, on a quarter, a half and all of its rows, for the same number of
  steps, and judges each at its best moment on the rows for evaluation.
Shows: whether more rows would help.
Misleads: short trainings: a network that needs many steps looks as if rows did not matter. Loss goes on falling with more rows on nearly
  all data, so read it beside how much of the loss is left.
Source: Hestness et al. 2017, arXiv:1712.00409; Viering & Loog 2023, arXiv:2103.10948.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor

from liebig.core.evidence import LearningCurve
from liebig.train.active.final_score import judged_parts
from liebig.train.active.judging import Judged, Kind, standard_error
from liebig.train.active.learning import learn_in_parts, optimizers_at
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.rows import endless_rows
from liebig.train.active.workbench import Bench, Refused

_SHARES: Final = (0.25, 0.5, 1.0)
_STEPS: Final = 160
_LEAST: Final = 60
_PARTS: Final = 5
_LEAST_ROWS: Final = 40
#: Of the loss that an answer which ignores its input has: with less between other rows and its own there is little to win.
_GAP: Final = 0.12
#: Likewise of the rows that are answered rightly: being too sure of a few rows costs loss, and is no lack of rows.
_WRONG: Final = 0.06


class LearningCurveProbe(ActiveProbe):
    """Select loss on growing parts of the training rows."""

    makes = LearningCurve
    share = 0.25

    def measure(self, bench: Bench) -> LearningCurve:
        bench.judging()
        if bench.valid is None:
            raise Refused("no rows for evaluation were given")
        if not bench.train.is_table or bench.train.count < _LEAST_ROWS:
            raise Refused(f"there are fewer than {_LEAST_ROWS} rows that can be put together anew")
        if bench.train.total > bench.train.count:
            raise Refused("only a part of the training rows was read")
        if not _has_gap(bench):
            raise Refused(
                "the network is about as good on other rows as on its own: more of them would hardly change it"
            )
        steps = bench.steps_within(0.8 / len(_SHARES), _STEPS, _LEAST)
        order = torch.randperm(bench.train.count, generator=bench.generator(12))
        sizes = [max(1, round(share * len(order))) for share in _SHARES]
        found = [_trained(bench, order[:size], steps) for size in sizes]
        # One error for all, so that two of them together give that of a paired difference.
        errors = [standard_error(one.losses - other.losses) / math.sqrt(2) for one, other in pairwise(found)]
        return LearningCurve(
            tuple(sizes), tuple(each.loss for each in found), (errors[0], *errors), found[-1].chance_loss
        )


def _has_gap(bench: Bench) -> bool:
    """Whether the network is clearly better on its training rows than on others, in its loss and in what it answers rightly."""
    valid, train = judged_parts(bench)
    if valid.loss - train.loss < _GAP * valid.chance_loss:
        return False
    return bench.judging().kind is Kind.NUMBERS or float(train.correct.mean()) - float(valid.correct.mean()) > _WRONG


def _trained(bench: Bench, rows: Tensor, steps: int) -> Judged:
    """The best moment of a copy trained on `rows`."""
    bench.copy.to_start()
    optimizers = optimizers_at(bench, bench.rate)
    batches = (bench.train.take(rows[each]) for each in endless_rows(len(rows), bench.batch, bench.generator(13)))
    best: Judged | None = None
    for _ in learn_in_parts(bench, optimizers, batches, steps, _PARTS):
        now = bench.judged(bench.valid, 1_024) if bench.valid is not None else None
        if now is None:
            break
        best = now if best is None or now.loss < best.loss else best
    if best is None:
        raise Refused("the copies did not train to their end")
    return best
