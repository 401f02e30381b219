"""The same batch twice.

Does: answers one batch twice without a step between, in the mode in which the loop evaluates and in evaluation mode; the second
  time in other company: with its rows in reverse order beside other rows.
Shows: an evaluation that depends on chance (dropout) or on the other rows (batch statistics).
Misleads: a network that draws on purpose (a variational one) differs in evaluation mode too.
Source: Ioffe & Szegedy 2015, arXiv:1502.03167, section 3.1; Srivastava et al. 2014, JMLR 15.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from liebig.core.evidence import SameBatchTwice
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.workbench import Bench, Refused, evaluating, modes

_ROWS: Final = 64
_ROUNDING: Final = 1e-2  # of the answers' spread: below, other company changes the order of sums at most
_DRAWN: Final = 0.05  # of a difference, that the same company makes as well: then chance is behind the rest


class SameBatchTwiceProbe(ActiveProbe):
    """The largest difference of two answers to the same rows, in units of the answers' spread."""

    makes = SameBatchTwice
    share = 0.05

    def measure(self, bench: Bench) -> SameBatchTwice:
        bench.copy.to_present()
        with evaluating(bench.model):
            one, other, half = _pair(bench)
            settled = _difference(bench, one, other, half)
            drawn = _difference(bench, one, one, half) if settled > _ROUNDING else settled
        as_called = settled
        if bench.subject.evaluates_in_training:
            with modes(bench.model):
                bench.model.train()
                as_called = _difference(bench, *_pair(bench))
        return SameBatchTwice(as_called, settled, settled if drawn < _DRAWN * settled else 0.0)


def _pair(bench: Bench) -> tuple[object, object, int]:
    """A batch, and one that begins with its first half and goes on with other rows; the size of that half."""
    given = bench.valid or bench.train
    size = min(_ROWS, given.count)
    if given.is_table and given.count >= 4:
        half = size // 2
        first = torch.arange(size)
        others = torch.arange(given.count - (size - half), given.count)
        return given.take(first), given.take(torch.cat([first[:half], others])), half
    batch = given.first(size)
    return batch, batch, 0


def _difference(bench: Bench, one: object, other: object, half: int) -> float:
    with torch.no_grad():
        first, _ = bench.passing.answer(bench.model, bench.on_device(one))
        second, _ = bench.passing.answer(bench.model, bench.on_device(other))
    return _apart(first, second, half)


def _apart(first: Tensor, second: Tensor, half: int) -> float:
    if half:
        first, second = first[:half], second[:half]
    if first.shape != second.shape:
        raise Refused("two answers to the same batch have different shapes")
    first, second = first.double(), second.double()
    spread = float(first.std()) if first.numel() > 1 else 0.0
    # Where all answers are alike their own size is the measure: rounding is no difference.
    return float((first - second).abs().max()) / max(spread, 1e-3 * float(first.square().mean().sqrt()), 1e-12)
