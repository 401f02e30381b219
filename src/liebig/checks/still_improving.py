"""Still improving.

Means: Training stopped before the network had learnt what it could.
Measured: how fast the loss on the stop part (else the training loss) falls over the last third of the epochs, beyond its
  swings, carried on over half as many epochs again as were trained; that gain as a share of the loss of an answer that
  ignores its input.
Misleads: the training loss of a network that overfits falls for ever: where there is no stop part a large gap silences this.
  A rate that decays to nothing makes the last epochs fall, too.
Source: Prechelt 1998; common practice.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Final

from liebig.checks.numbers import finite, middle, ramp, slope
from liebig.checks.outcome import outcome
from liebig.checks.strength import curve_chance, narrow, room
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence, FinalScore

#: More epochs bring less where a layer is too narrow for its inputs: by how much less.
_STOPPED_BY_WIDTH: Final = 0.5


class StillImproving(Check):
    """The curve is still falling at the end."""

    name = "still-improving"
    stave = Stave.RATE
    needs = (EpochCurves,)
    explains = frozenset()
    words = {
        "en": Telling(
            headline="Training stopped while the network was still improving.",
            evidence="The best of {trained:.0f} epochs was number {best:.0f}, and over the last {epochs:.0f} the loss fell by {fall:.1%} of its value.",
            advice="Train longer, or raise the rate, or take a one-cycle schedule over a longer run.",
            short="the loss that still falls at the end",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        curves = evidence.get(EpochCurves)
        assert curves is not None
        watched = finite(curves.stop_loss)
        losses = watched if len(watched) >= 2 else finite(curves.train_loss)
        trained = len(losses)
        if trained < 2:
            return NotApplicable("fewer than two epochs were trained")
        last = losses[-max(2, math.ceil(trained / 3)) :]
        speed = max(0.0, -slope(last))
        best = losses.index(min(losses))
        gain = min(0.5 * trained * speed, max(last[-1], 0.0)) / curve_chance(evidence, curves)
        swing = middle(abs(b - a) for a, b in itertools.pairwise(last))
        steady = ramp(speed * (len(last) - 1) / max(swing, 1e-12), 0.8, 1.8) if len(last) > 2 else 1.0
        at_end = ramp(best / (trained - 1), 0.7, 0.95)
        worth = max(ramp(gain, 0.01, 0.08), _hardly_begun(trained, last, curves, room(evidence)))
        strength = 0.9 * worth * steady * at_end * ramp(room(evidence), 0.04, 0.2) * _decayed(curves)
        strength *= _missed(evidence) * (1.0 - _STOPPED_BY_WIDTH * narrow(evidence))
        if not watched:
            strength *= _no_gap(outcome(evidence))
        if len(curves.train_loss) < curves.planned_epochs:
            strength *= 0.4  # it was stopped by its own rule
        if strength < 0.05:
            return Clear()
        facts = {
            "epochs": Fact(float(len(last)), "epochs"),
            "fall": Fact(1.0 - last[-1] / last[0] if last[0] else 0.0, "share"),
            "best": Fact(float(best + 1)),
            "trained": Fact(float(trained)),
        }
        return Found(strength, "", facts)


def _hardly_begun(trained: int, last: Sequence[float], curves: EpochCurves, left: float) -> float:
    """Two or three epochs, nearly all of the loss still there, and falling beyond its error: too early to carry a slope on."""
    errors = finite(curves.stop_loss_error)
    beyond = (last[0] - last[-1]) / errors[-1] if errors and errors[-1] > 0 else 4.0 * (last[0] > last[-1])
    return 0.8 * ramp(float(trained), 6.0, 3.0) * ramp(left, 0.3, 0.6) * ramp(beyond, 1.0, 3.0)


def _missed(evidence: Evidence) -> float:
    """Less where hardly a row is still answered wrongly: the loss falls on when there is nothing left to be had.

    Of training rows and others the better answered count: what one part misses beyond the other is its sample, or its gap.
    """
    score = outcome(evidence)
    if score is None or score.metric != "accuracy" or not score.chance < 1.0:
        return 1.0
    known = max(finite([score.train_score, score.score]), default=math.nan)
    missed = (1.0 - known) / (1.0 - score.chance)
    return 0.3 + 0.7 * ramp(missed, 0.05, 0.25) if math.isfinite(missed) else 1.0


def _decayed(curves: EpochCurves) -> float:
    """Half as sure where the rate went down to less than a fifth."""
    rates = finite(curves.rates)
    return 0.5 if rates and rates[-1] < 0.2 * max(rates) else 1.0


def _no_gap(score: FinalScore | None) -> float:
    if score is None or not score.chance_loss > 0 or not math.isfinite(score.loss):
        return 1.0
    return ramp((score.loss - score.train_loss) / score.chance_loss, 0.1, 0.03)
