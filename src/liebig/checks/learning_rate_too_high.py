"""Learning rate too high.

Means: Steps are so large that they jump over what they look for; units die, the loss swings or grows.
Measured: norm of a step over norm of the weights, median of the first five steps (healthy 0.004-0.04, faulty 0.14-0.43); peak
  of the loss over its first value (healthy at most 1.1, faulty 3.3-50).
Misleads: a short warm-up hides it; zero weights make the ratio large without harm. A gradient that explodes before the first
  step makes every step too large: then that is named.
Source: Ranges measured on small healthy and faulty runs.
"""

from __future__ import annotations

import math

from liebig.checks.strength import disappoints, explodes_at_once, log_ramp, loss_peak, middle
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, NonFinite, StepLosses, UpdateRatios


class LearningRateTooHigh(Check):
    """The first steps are a large part of the weights, or the loss peaks."""

    name = "learning-rate-too-high"
    stave = Stave.RATE
    needs = (UpdateRatios,)
    explains = frozenset(
        {
            "dead-units",
            "saturated-units",
            "vanishing-gradient",
            "exploding-gradient",
            "non-finite",
            "oscillating-loss",
            "not-learning",
            "underfitting",
            "learning-rate-not-decayed",
            "shifting-activations",
            "still-improving",
        }
    )
    words = {
        "en": Telling(
            headline="The learning rate is too high.",
            evidence="In the first five steps the weights of layer {place} moved by {ratio:.1%} of their size a step (healthy: 0.4 to 4 %); the loss peaked at {peak:.3g} times its first value (healthy: at most 1.1).",
            advice="Take a third of the rate or less, or what a range test finds; warm it up; let it decay.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        updates = evidence.get(UpdateRatios)
        assert updates is not None
        early = [look for step, look in zip(updates.steps, updates.ratios, strict=True) if step < 6][:5]
        if not early or not updates.layers:
            return NotApplicable("the first steps were not seen")
        by_layer = [middle(look[i] for look in early) for i in range(len(updates.layers))]
        known = [(value, name) for value, name in zip(by_layer, updates.layers, strict=True) if value == value]
        if not known:
            return NotApplicable("no step was finite")
        # The median layer speaks for the rate; one odd layer (a zero start) does not.
        ratio = middle(value for value, _ in known)
        place = max(known)[1]
        losses = evidence.get(StepLosses)
        peak = loss_peak(losses) if losses else math.nan
        broke = evidence.get(NonFinite) is not None
        step_part, peak_part = log_ramp(ratio, 0.05, 0.16), log_ramp(peak, 1.5, 3.5)
        bad = max(disappoints(evidence), float(broke))
        # Healthy first steps and a peak later on: something else grew, and the rate is a suspect only.
        both = min(1.0, step_part + peak_part) if step_part > 0.1 else 0.55 * peak_part
        strength = max(step_part * (0.35 + 0.65 * bad), 0.95 * both * bad) * (1.0 - 0.65 * explodes_at_once(evidence))
        if strength < 0.05:
            return Clear()
        return Found(min(1.0, strength), place, {"ratio": Fact(ratio, "share", 0.05), "peak": Fact(peak, "ratio", 1.5)})
