"""Overfitting.

Means: The network learns its rows by heart: the training loss goes on falling while the loss on other rows rises.
Measured: the loss on the stop (or select) part at the end against its best, beyond the sampling error; and the gap between
  training and selection loss, as a share of the loss of an answer that ignores its input.
Misleads: a gap alone is normal: every network fits its own rows better. With the best epoch restored the harm is mended
  already, and what is left is the gap.
Source: Geman, Bienenstock & Doursat 1992; Prechelt 1998.
"""

from __future__ import annotations

import math
from typing import Final

from liebig.checks.numbers import ramp
from liebig.checks.outcome import outcome, swing_of
from liebig.checks.strength import curve_chance, learnt
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, NotMeasured, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence, FinalScore

#: What is left of the rise where the weights of the best epoch were kept: it shows a capacity for harm, not harm.
_MENDED: Final = 0.2


class Overfitting(Check):
    """The selection loss rises while the training loss falls, or the gap is large."""

    name = "overfitting"
    stave = Stave.OVERFIT
    needs = ((FinalScore, EpochCurves),)
    explains = frozenset({"trained-too-long"})
    words = {
        "en": Telling(
            headline="The network overfits.",
            evidence="The loss is {train:.3g} on the training rows and {select:.3g} on others: {gap:.0%} of the loss of an answer that ignores its input lie between.{rose}",
            advice="More data first; then early stopping, dropout, weight decay, an ensemble, label smoothing, or a smaller network.",
            short="the overfitting",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        score = outcome(evidence)
        if score is None or (evidence.get(FinalScore) is None and not math.isfinite(score.loss)):
            return NotMeasured("FinalScore")
        if not score.chance_loss > 0 or not math.isfinite(score.loss) or not math.isfinite(score.train_loss):
            return NotApplicable("the outcome has no loss")
        gap = (score.loss - score.train_loss) / score.chance_loss
        beyond = (score.loss - score.train_loss) / max(score.loss_error, 1e-12)
        rise, errors = _rise(evidence)
        by_gap = ramp(gap, 0.06, 0.18) * ramp(beyond, 2.5, 6.0)
        rise *= falls_still(evidence)
        by_rise = ramp(errors, 2.0, 6.0) * ramp(beyond, 1.0, 3.0) * ramp(rise, 0.01, 0.08)
        strength = max(0.9 * by_gap, by_rise, min(1.0, 0.6 * by_gap + 0.6 * by_rise))
        strength *= ramp(learnt(score), 0.1, 0.4)  # who has learnt nothing has learnt nothing by heart
        if strength < 0.05:
            return Clear()
        facts = {
            "train": Fact(score.train_loss),
            "select": Fact(score.loss),
            "gap": Fact(gap, "share", 0.08),
            "rise": Fact(rise),
            "errors": Fact(errors, "standard errors", 2.0),
            "rose": Fact(
                f" Since its best epoch the latter rose by {rise:.1%} of it ({errors:.1f} standard errors)."
                if rise > 0.005 and errors > 1.0
                else ""
            ),
        }
        return Found(strength, "", facts)


def falls_still(evidence: Evidence) -> float:
    """0 where the training loss rose together with the other after its best epoch: then training came apart, and nothing was
    learnt by heart. 1 where it went on falling, or is not known."""
    curves = evidence.get(EpochCurves)
    if curves is None:
        return 1.0
    pairs = [
        (other, train)
        for other, train in zip(curves.stop_loss, curves.train_loss, strict=False)
        if math.isfinite(other) and math.isfinite(train)
    ]
    if len(pairs) < 4:
        return 1.0
    best = min(pairs)[1]
    rose = sum(train for _, train in pairs[-3:]) / 3 - best
    return ramp(rose / curve_chance(evidence, curves), 0.1, 0.02)


def _rise(evidence: Evidence) -> tuple[float, float]:
    """How far the stop loss rose from its best to the last three epochs: as a share of the loss of an answer that ignores
    its input, and in standard errors."""
    curves = evidence.get(EpochCurves)
    if curves is None:
        return 0.0, 0.0
    known = [value for value in curves.stop_loss if math.isfinite(value)]
    if len(known) < 4:
        return 0.0, 0.0
    rise = sum(known[-3:]) / 3 - min(known)
    wide = [error for error in curves.stop_loss_error if math.isfinite(error) and error > 0]
    if not wide:
        score = outcome(evidence)
        wide = [max(score.loss_error, swing_of(curves.stop_loss))] if score and score.loss_error > 0 else []
    # The two are of the same rows: their difference is known far better than either.
    if curves.selected < len(curves.train_loss) - 1:
        rise *= _MENDED
    return rise / curve_chance(evidence, curves), rise / (0.5 * wide[-1]) if wide else 0.0
