"""Learning rate too low.

Means: Steps are so small that training ends long before the network has learnt.
Measured: norm of a step over norm of the weights, median over the first looks (faulty 7e-6 to 9e-6; healthy 0.004-0.04), with
  a gradient that is not gone, and a loss that is still falling at the end.
Misleads: pretrained weights are rightly moved in small steps; a long warm-up looks the same at first.
Source: Ranges measured on small healthy and faulty runs.
"""

from __future__ import annotations

from liebig.checks.strength import log_ramp, middle, ramp, room
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, UpdateRatios


class LearningRateTooLow(Check):
    """Tiny steps, and a bad outcome."""

    name = "learning-rate-too-low"
    stave = Stave.RATE
    needs = (UpdateRatios,)
    explains = frozenset({"not-learning", "underfitting", "still-improving"})
    words = {
        "en": Telling(
            headline="The learning rate is too low.",
            evidence="A step moves the weights by {ratio:.2g} of their size (healthy: 0.004 to 0.04), and {left:.0%} of the loss is still there.",
            advice="Take thirty times the rate, or what a range test finds; or a one-cycle schedule.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        updates = evidence.get(UpdateRatios)
        assert updates is not None
        looks = [look for step, look in zip(updates.steps, updates.ratios, strict=True) if step >= 1] or list(
            updates.ratios
        )
        ratio = middle(middle(look) for look in looks[:10])
        if ratio != ratio:
            return NotApplicable("no step was finite")
        if ratio == 0.0:
            return NotApplicable("the weights did not move at all")
        left = room(evidence)
        strength = log_ramp(ratio, 5e-4, 3e-5) * ramp(left, 0.1, 0.5)
        if strength < 0.05:
            return Clear()
        return Found(strength, "", {"ratio": Fact(ratio, "share", 5e-4), "left": Fact(left, "share")})
