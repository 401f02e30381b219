"""Shifting activations.

Means: What enters a layer moves while the layer learns to read it (internal covariate shift).
Measured: drift of the mean of what enters a layer between looks, in units of its spread; and how its spread grew.
Misleads: every network moves early in training; a bad outcome is required.
Source: Ioffe & Szegedy 2015, arXiv:1502.03167.
"""

from __future__ import annotations

from liebig.checks.numbers import log_ramp, ramp, scaled_to_hint
from liebig.checks.strength import disappoints
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, UnitStatistics


class ShiftingActivations(Check):
    """The inputs of a layer drift by more than their spread."""

    name = "shifting-activations"
    stave = Stave.GRADIENT
    needs = (UnitStatistics,)
    explains = frozenset()
    words = {
        "en": Telling(
            headline='What enters layer "{place}" keeps shifting.',
            evidence="Its mean moved by {drift:.1f} spreads since the start, and its spread grew {growth:.1f}-fold.",
            advice="Normalise the layers, lower the rate, or start from better weights.",
            short="the shifting activations",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        units = evidence.get(UnitStatistics)
        assert units is not None
        if len(units.looks) < 2 or not units.looks[-1]:
            return NotApplicable("fewer than two looks were taken")
        start = {layer.layer: layer for layer in units.looks[0]}
        best: tuple[float, str, float, float] = (0.0, "", 0.0, 0.0)
        for layer in units.looks[-1]:
            first = start.get(layer.layer)
            if first is None or not first.spread > 0 or not layer.spread > 0:
                continue
            drift, growth = abs(layer.mean - first.mean) / first.spread, layer.spread / first.spread
            strength = max(ramp(drift, 3.0, 12.0), log_ramp(growth, 8.0, 60.0))
            if strength > best[0]:
                best = (strength, layer.layer, drift, growth)
        strength = scaled_to_hint(0.6 * best[0] * disappoints(evidence))
        if strength < 0.05:
            return Clear()
        return Found(strength, best[1], {"drift": Fact(best[2], "spreads", 3.0), "growth": Fact(best[3], "ratio", 8.0)})
