"""Still improving.

Means: Training ended while the network was still getting better.
Measured: the fall of the stop loss (or training loss) over the last third of the epochs, against its swings and the sampling
  error; and whether the best epoch is the last.
Misleads: a decayed rate ends every curve flat: flat does not mean that a longer schedule would not help.
Source: common practice; slope against noise.
"""

from __future__ import annotations

from liebig.checks.strength import finite, middle, ramp, room
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence


class StillImproving(Check):
    """The curve is still falling at the end."""

    name = "still-improving"
    stave = Stave.RATE
    needs = (EpochCurves,)
    explains = frozenset({"underfitting"})
    words = {
        "en": Telling(
            headline="Training stopped while the network was still improving.",
            evidence="Over the last {epochs:.0f} epochs the loss fell by {fall:.1%} of its value, and the best epoch was number {best:.0f} of {trained:.0f}.",
            advice="Train longer, or raise the rate, or take a one-cycle schedule over a longer run.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        curves = evidence.get(EpochCurves)
        assert curves is not None
        losses = finite(curves.stop_loss) or finite(curves.train_loss)
        trained = len(losses)
        if trained < 2:
            return NotApplicable("fewer than two epochs were trained")
        last = losses[-max(2, trained // 3) :]
        fall = (last[0] - last[-1]) / max(abs(last[0]), 1e-12)
        swing = middle(abs(b - a) for a, b in zip(losses[trained // 2 :], losses[trained // 2 + 1 :], strict=False))
        steady = ramp((last[0] - last[-1]) / max(swing, 1e-12), 0.8, 1.8) if len(last) > 2 else 1.0
        at_end = ramp(losses.index(min(losses)) / max(1, trained - 1), 0.75, 0.95)
        per_epoch = fall / max(1, len(last) - 1)
        ended = curves.planned_epochs <= len(curves.train_loss)
        strength = (
            ramp(per_epoch, 0.004, 0.05) * steady * at_end * ramp(room(evidence), 0.01, 0.05) * (1.0 if ended else 0.4)
        )
        if strength < 0.05:
            return Clear()
        facts = {
            "epochs": Fact(float(len(last)), "epochs"),
            "fall": Fact(fall, "share"),
            "best": Fact(float(losses.index(min(losses)) + 1)),
            "trained": Fact(float(trained)),
        }
        return Found(strength, "", facts)
