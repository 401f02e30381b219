"""Saturated units.

Means: Sigmoid or tanh units sit at their ends, where their slope is next to nothing: the layer cannot learn.
Measured: share of (unit, row) pairs beyond +-5 before the activation, before the first step and now.
Misleads: a classifier that is sure of itself saturates its last layers late and healthily; a bad outcome is required.
Source: Glorot & Bengio 2010, section 3.
"""

from __future__ import annotations

from liebig.checks.strength import disappoints, learnt, ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, FinalScore, UnitStatistics


class SaturatedUnits(Check):
    """Much of a sigmoid or tanh layer is at its ends, and the outcome is bad."""

    name = "saturated-units"
    stave = Stave.GRADIENT
    needs = (UnitStatistics,)
    explains = frozenset(
        {
            "vanishing-gradient",
            "not-learning",
            "underfitting",
            "overfitting",
            "still-improving",
            "learning-rate-not-decayed",
        }
    )
    words = {
        "en": Telling(
            headline="Units of layer {place} are saturated.",
            evidence="{now:.0%} of its answers are beyond +-5 before the activation ({start:.0%} before the first step).",
            advice="Scale the inputs to the range that suits the activation, start from smaller weights, normalise, or use a ReLU-like activation.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        units = evidence.get(UnitStatistics)
        assert units is not None
        bounded = [[layer for layer in look if layer.activation in {"sigmoid", "tanh"}] for look in units.looks]
        if not bounded or not bounded[-1]:
            return NotApplicable("no layer has a bounded activation")
        start = {layer.layer: layer.saturated for layer in bounded[0]}
        worst = max(bounded[-1], key=lambda layer: max(layer.saturated, start.get(layer.layer, 0.0)))
        before = start.get(worst.layer, 0.0)
        strength = max(ramp(before, 0.15, 0.5), ramp(worst.saturated, 0.3, 0.8)) * _worth(evidence)
        if strength < 0.05:
            return Clear()
        return Found(
            strength, worst.layer, {"now": Fact(worst.saturated, "share", 0.3), "start": Fact(before, "share", 0.15)}
        )


def _worth(evidence: Evidence) -> float:
    """Saturated networks learn their rows by heart and fail on others: the outcome is judged on both."""
    score = evidence.get(FinalScore)
    if score is None or not score.chance_loss > 0:
        return 1.0
    missed = score.loss / score.chance_loss - (1.0 - learnt(score))
    return max(disappoints(evidence), ramp(missed, 0.05, 0.3))
