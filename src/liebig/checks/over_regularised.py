"""Over-regularised.

Means: Dropout, noise, a penalty or weight decay wins over the data: the network may not learn what it could.
Measured: of the loss that the network has learnt away on rows in evaluation mode, the share that is lost in training mode; or
  weights that shrank to less than a tenth of what they began with. Either with a training score that is poor.
Misleads: some difference is what dropout is for; the loss of an epoch is a mean over its course, so the better of the
  evaluations before and after it is what it is held against.
Source: Srivastava et al. 2014, JMLR 15; Krogh & Hertz 1992.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from liebig.checks.strength import curve_chance, learnt, log_ramp, middle, ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence, FinalScore, WeightNorms


class OverRegularised(Check):
    """Much of what was learnt is lost in training mode, or the weights shrank away; and the outcome is poor."""

    name = "over-regularised"
    stave = Stave.CAPACITY
    needs = (EpochCurves, FinalScore)
    explains = frozenset(
        {"underfitting", "not-learning", "still-improving", "dead-units", "vanishing-gradient", "shifting-activations"}
    )
    words = {
        "en": Telling(
            headline="The regularisation is too strong.",
            evidence="In training mode the loss is {train:.3g}, in evaluation mode {eval:.3g} on rows of the same kind; the weights are {shrunk:.2g} times as large as at the start. {left:.0%} of the loss is not learnt.",
            advice="Take less dropout, less weight decay, less noise.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        curves, score = evidence.get(EpochCurves), evidence.get(FinalScore)
        assert curves is not None
        assert score is not None
        if not score.chance_loss > 0:
            return NotApplicable("the outcome has no loss")
        noisy, clean = _losses(curves)
        shrunk = _shrunk(evidence.get(WeightNorms))
        left = 1.0 - learnt(score)
        gap = (score.loss - score.train_loss) / score.chance_loss
        chance = curve_chance(evidence, curves)
        won = chance - clean  # where next to nothing was learnt, there is nothing to lose
        lost = (noisy - clean) / won if won > 0.02 * chance else math.nan
        poor = ramp(left, 0.1, 0.3) * ramp(gap, 0.15, 0.05)
        strength = max(ramp(lost, 0.2, 0.5), log_ramp(shrunk, 0.2, 0.03)) * poor
        if strength < 0.05:
            return Clear()
        facts = {
            "train": Fact(noisy),
            "eval": Fact(clean),
            "shrunk": Fact(shrunk, "ratio", 0.2),
            "left": Fact(left, "share"),
        }
        return Found(strength, "", facts)


def _losses(curves: EpochCurves) -> tuple[float, float]:
    """Training loss of the last epochs in training mode, and the worse of the evaluations before and after each."""
    pairs = [
        (noisy, max(before, after))
        for noisy, before, after in zip(
            curves.train_loss[1:], curves.train_eval_loss, curves.train_eval_loss[1:], strict=False
        )
        if math.isfinite(noisy) and math.isfinite(before) and math.isfinite(after)
    ][-3:]
    if not pairs:
        return math.nan, math.nan
    return sum(pair[0] for pair in pairs) / len(pairs), sum(pair[1] for pair in pairs) / len(pairs)


def _shrunk(norms: WeightNorms | None) -> float:
    """Norm of the weights now over that at the start, the median layer; NaN where it was not seen."""
    if norms is None or len(norms.norms) < 2:
        return math.nan
    return middle(_ratio(norms.norms[0], norms.norms[-1]))


def _ratio(start: Sequence[float], now: Sequence[float]) -> list[float]:
    return [b / a if a > 0 else math.nan for a, b in zip(start, now, strict=False)]
