"""Final score.

Does: judges the network as it is, in evaluation mode, on the rows for evaluation and on a sample of its training rows.
Shows: how good it is beside an answer that ignores its input, and how much of that it carries over to other rows.
Misleads: where only a sample of the rows could be read in the time, the error says so. A loss that is no log-loss and no squared
  error is not what is judged here.
Source: Hastie, Tibshirani & Friedman 2009, section 7.
"""

from __future__ import annotations

import math

from liebig.core.evidence import FinalScore
from liebig.train.active.judging import Judged, Kind, standard_error
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.workbench import Bench, Refused


class FinalScoreProbe(ActiveProbe):
    """Score and loss on both parts, at the weights of now."""

    makes = FinalScore
    share = 0.15

    def measure(self, bench: Bench) -> FinalScore:
        judge = bench.judging()
        valid, train = judged_parts(bench)
        if judge.kind is Kind.NUMBERS:
            score, chance = _root(valid.correct), _root(valid.chance_correct)
            error = standard_error(valid.correct) / (2 * max(score, 1e-12))
            return _final("rmse", False, score, chance, error, _root(train.correct), valid, train, bench)
        score, chance = float(valid.correct.mean()), float(valid.chance_correct.mean())
        rows = len(valid.correct)
        spread = math.sqrt(max(score * (1 - score), 1e-4) / rows)
        error = min(spread, max(standard_error(valid.correct), 1e-2 / math.sqrt(rows))) if rows > 1 else spread
        return _final("accuracy", True, score, chance, error, float(train.correct.mean()), valid, train, bench)


def judged_parts(bench: Bench) -> tuple[Judged, Judged]:
    """The rows for evaluation and the training rows judged at the weights of now, made once.

    Raises Refused where one of them is missing or answers are not finite.
    """
    if bench.valid is None:
        raise Refused("no rows for evaluation were given")
    if bench.valid_judged is None or bench.train_judged is None:
        bench.copy.to_present()
        bench.valid_judged = bench.judged(bench.valid)
        bench.train_judged = bench.judged(bench.train)
    if bench.valid_judged is None or bench.train_judged is None:
        raise Refused("the network's answers are not finite")
    return bench.valid_judged, bench.train_judged


def _root(squares: object) -> float:
    return math.sqrt(float(squares.mean()))  # type: ignore[attr-defined]


def _final(
    metric: str, higher: bool, score: float, chance: float, error: float, train_score: float,
    valid: Judged, train: Judged, bench: Bench,
) -> FinalScore:  # fmt: skip
    return FinalScore(
        metric, higher, score, chance, error, train_score, valid.loss, valid.chance_loss, valid.loss_error, train.loss,
        len(valid.losses), bench.train.total or bench.train.count,
    )  # fmt: skip
