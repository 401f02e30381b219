"""One batch learnt by heart.

Does: trains a copy on one batch alone, from the starting weights, with Adam and without dropout, noise or decay, on those
  parameters that the loop trains. Two rates are tried, the second where the first did not do it.
Shows: whether network and loss can learn at all. Where they can, what holds the loop back is its rate, its regularisation, its data
  or its length; where they cannot, it is the network, its start or what the loss is given.
Misleads: contradictory labels in the batch cannot be learnt by heart by anything.
Source: Karpathy 2019, "A Recipe for Training Neural Networks" (overfit one batch); Zhang et al. 2017, arXiv:1611.03530.
"""

from __future__ import annotations

import math
from itertools import repeat
from typing import Any, Final

import torch

from liebig.core.evidence import OneBatch
from liebig.train.active.judging import Kind, fitted, ignorant, judged
from liebig.train.active.learning import adam, learn
from liebig.train.active.nested import length
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.workbench import Bench, evaluating, without_dropout

_RATES: Final = (5e-3, 5e-4)
_STEPS: Final = 120
_LEAST: Final = 20
_ROWS: Final = 32
#: A loss below this share of that of an answer which ignores its input is learnt.
_LEARNT: Final = 0.05


class OneBatchProbe(ActiveProbe):
    """Loss and accuracy on one batch before and after it was trained on alone."""

    makes = OneBatch
    share = 0.15

    def measure(self, bench: Bench) -> OneBatch:
        batch = bench.on_device(_batch(bench))
        best: OneBatch | None = None
        for rate in _RATES:
            steps = bench.steps_within(0.6, _STEPS, _LEAST)
            tried = _tried(bench, batch, rate, steps)
            if best is None or tried.last_loss < best.last_loss or not math.isfinite(best.last_loss):
                best = tried
            if _is_learnt(best) or bench.clock.left() < _LEAST * bench.step_seconds:
                break
        assert best is not None
        return best


def _batch(bench: Bench) -> Any:
    """A batch of different rows as they come in training, 8 at least where there are that many."""
    size = min(max(8, bench.batch), _ROWS)
    return next(bench.train.endless(size, bench.generator(2)))


def _tried(bench: Bench, batch: Any, rate: float, steps: int) -> OneBatch:
    bench.copy.to_start()
    bench.model.train()
    without_dropout(bench.model)
    chance = _chance_loss(bench, batch)
    enough = _LEARNT * chance / 2 if chance > 0 else -math.inf
    losses = learn(bench, [adam(bench, rate)], repeat(batch, steps), stop=lambda _, loss: loss < enough)
    with torch.no_grad():
        last = float(bench.passing.loss(bench.model, batch))
    return OneBatch(length(batch), len(losses), losses[0], last, chance, _accuracy(bench, batch))


def _is_learnt(tried: OneBatch) -> bool:
    return tried.last_loss < _LEARNT * tried.chance_loss


def _chance_loss(bench: Bench, batch: Any) -> float:
    """The user's loss of an answer that ignores its input: the batch's prior or mean in every row, in the scale in which this
    network answers. Where the loss is made elsewhere, that of the judge if both agree on the network's answers; else NaN."""
    judge = bench.judge
    if isinstance(judge, str):
        return math.nan
    with evaluating(bench.model), torch.no_grad():
        answer, target = bench.passing.answer(bench.model, batch)
        own = fitted(judge, answer, target)
        if bench.passing.shaped is None:
            found, loss = judged(own, answer, target), float(bench.passing.loss(bench.model, batch))
            return found.chance_loss if found is not None and math.isclose(found.loss, loss, rel_tol=1e-2) else math.nan
        constant = ignorant(own, answer)
        return float(bench.passing.loss_of(constant, target))


def _accuracy(bench: Bench, batch: Any) -> float:
    """Share of the batch's answers that are right now, as it was trained; NaN for numbers."""
    judge = bench.judge
    if isinstance(judge, str) or judge.kind is Kind.NUMBERS:
        return math.nan
    with torch.no_grad():
        answer, target = bench.passing.answer(bench.model, batch)
    found = judged(judge, answer, target)
    return math.nan if found is None else float(found.correct.mean())
