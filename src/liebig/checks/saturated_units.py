"""Saturated units.

Means: Sigmoid or tanh units sit at their ends, where their slope is next to nothing: the layer cannot learn.
Measured: share of (unit, row) pairs beyond +-5 before the activation, before the first step and now.
Misleads: a classifier that is sure of itself saturates its last layers late and healthily; a bad outcome is required.
Source: Glorot & Bengio 2010, section 3.
"""

from __future__ import annotations

import math

from liebig.checks.numbers import ramp
from liebig.checks.outcome import outcome
from liebig.checks.strength import disappoints, learnt, since_units
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, UnitStatistics


class SaturatedUnits(Check):
    """Much of a sigmoid or tanh layer is at its ends, and the outcome is bad."""

    name = "saturated-units"
    stave = Stave.GRADIENT
    needs = (UnitStatistics,)
    explains = POOR_RESULT | {"vanishing-gradient", "overfitting", "learning-rate-too-low"}
    words = {
        "en": Telling(
            headline='Units of layer "{place}" are saturated.',
            evidence="{now:.0%} of what enters its activation lies beyond +-5, where the slope is next to nothing ({start:.0%} before the first step).",
            advice="Scale the inputs to the range that suits the activation, start from smaller weights, normalise, or use a ReLU-like activation.",
            short='the saturated units in layer "{place}"',
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
        facts = {
            "now": Fact(worst.saturated, "share", 0.3),
            "start": Fact(before, "share", 0.15),
            "since": Fact(since_units(units, worst.layer, lambda layer: layer.saturated > 0.15), "step"),
        }
        return Found(strength, worst.layer, facts)


def _worth(evidence: Evidence) -> float:
    """Saturated networks learn their rows by heart and fail on others: the outcome is judged on both."""
    score = outcome(evidence)
    if score is None or not score.chance_loss > 0 or not math.isfinite(score.loss):
        return disappoints(evidence)
    missed = score.loss / score.chance_loss - (1.0 - learnt(score))
    return max(disappoints(evidence), ramp(missed, 0.05, 0.3))
