"""Poor initialisation.

Means: The weights start equal, at zero, too small or too large: units learn the same, signals die out or saturate before
  the first step.
Measured: share of units of a layer that start alike; standard deviation of the weights times the root of the fan-in (torch
  0.6, LeCun and Xavier about 1, He 1.4; faulty below 0.2 or above 4); dead units at step 0.
Misleads: a layer of very few inputs has a noisy estimate; residual branches may start at zero on purpose.
Source: Glorot & Bengio 2010; He et al. 2015, arXiv:1502.01852; ranges measured on small runs.
"""

from __future__ import annotations

from liebig.checks.strength import disappoints, log_ramp, ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, InitialWeights, UnitStatistics


class PoorInitialisation(Check):
    """Weights that start alike, too small or too large."""

    name = "poor-initialisation"
    stave = Stave.START
    needs = (InitialWeights,)
    explains = frozenset(
        {
            "vanishing-gradient",
            "exploding-gradient",
            "saturated-units",
            "dead-units",
            "not-learning",
            "underfitting",
            "learning-rate-too-low",
            "learning-rate-too-high",
            "non-finite",
            "still-improving",
            "oscillating-loss",
            "shifting-activations",
            "learning-rate-not-decayed",
        }
    )
    words = {
        "en": Telling(
            headline="The weights start badly in layer {place}.",
            evidence="There {duplicates:.0%} of the units start alike (healthy: none), and the weights times the root of the fan-in have a spread of {gain:.3g} (healthy: 0.5 to 1.5); {dead:.0%} of its units are silent before the first step.",
            advice="Draw the weights by He for ReLU-like activations, by LeCun or Xavier for tanh and sigmoid; or calibrate each layer on one batch.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        weights = evidence.get(InitialWeights)
        assert weights is not None
        if not weights.layers:
            return NotApplicable("the network has no weight matrix")
        dead_at = _dead_at_start(evidence)
        hidden = len(weights.layers) - 1 if len(weights.layers) > 1 else 1
        best: tuple[float, str, dict[str, Fact]] = (0.0, "", {})
        for i in range(hidden):
            layer, gain, alike = weights.layers[i], weights.gain[i], weights.duplicate_units[i]
            dead = dead_at[i] if i < len(dead_at) else 0.0
            strength = max(
                ramp(alike, 0.2, 0.8),
                0.9 * log_ramp(gain, 4.0, 9.0),
                0.9 * log_ramp(gain, 0.2, 0.08),
                0.95 * ramp(dead, 0.7, 0.95),
            )
            if strength > best[0]:
                facts = {"duplicates": Fact(alike, "share", 0.2), "gain": Fact(gain), "dead": Fact(dead, "share", 0.7)}
                best = (strength, layer, facts)
        strength = best[0] * (0.35 + 0.65 * disappoints(evidence))
        return Found(strength, best[1], best[2]) if strength >= 0.05 else Clear()


def _dead_at_start(evidence: Evidence) -> list[float]:
    """Share of dead units by hidden layer before the first step; empty where it was not looked."""
    units = evidence.get(UnitStatistics)
    if units is None or not units.steps or units.steps[0] > 0:
        return []
    return [layer.dead for layer in units.looks[0]]
