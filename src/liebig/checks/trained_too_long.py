"""Trained too long.

Means: The best epoch came early; the rest of the time made the network worse, or was wasted.
Measured: position of the epoch with the best stop loss, and how far the loss rose after it, in standard errors.
Misleads: one lucky early epoch of a noisy stop part; the rise must be beyond its error.
Source: Prechelt 1998, "Early stopping - but when?".
"""

from __future__ import annotations

import math

from liebig.checks.numbers import ramp
from liebig.checks.outcome import outcome, swing_of
from liebig.checks.overfitting import falls_still
from liebig.checks.strength import curve_chance
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence


class TrainedTooLong(Check):
    """The best epoch lies in the first part."""

    name = "trained-too-long"
    stave = Stave.OVERFIT
    needs = (EpochCurves,)
    explains = frozenset()
    words = {
        "en": Telling(
            headline="Training went on long after the best epoch.",
            evidence="The best of {trained:.0f} epochs was number {best:.0f}; after it the loss on other rows rose by {rise:.1%} of what an answer that ignores its input has.",
            advice="Stop early with the best weights restored, or take a shorter schedule.",
            short="the epochs after the best one",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        curves = evidence.get(EpochCurves)
        assert curves is not None
        losses = [value for value in curves.stop_loss if value == value]
        if len(losses) < 8:
            return NotApplicable("fewer than eight epochs were evaluated on other rows")
        best = losses.index(min(losses))
        rise = sum(losses[-3:]) / 3 - losses[best]
        share = rise / curve_chance(evidence, curves)
        errors = [error for error in curves.stop_loss_error if math.isfinite(error) and error > 0]
        if not errors:
            known = outcome(evidence)
            errors = [max(known.loss_error, swing_of(curves.stop_loss))] if known and known.loss_error > 0 else []
        beyond = rise / (0.5 * errors[-1]) if errors else 0.0  # of the same rows, so known better than either loss
        kept = curves.selected < len(curves.train_loss) - 1
        strength = ramp(best / (len(losses) - 1), 0.4, 0.1) * ramp(share, 0.02, 0.1) * ramp(beyond, 2.0, 6.0)
        strength *= (0.45 if kept else 1.0) * falls_still(evidence)
        strength *= ramp(losses[best] / curve_chance(evidence, curves), 1.0, 0.9)  # else no epoch was worth keeping
        if strength < 0.05:
            return Clear()
        facts = {"trained": Fact(float(len(losses))), "best": Fact(float(best + 1)), "rise": Fact(share, "share", 0.02)}
        return Found(strength, "", facts)
