"""Exploding gradient.

Means: The gradient grows on its way back through the layers, or from step to step, until steps are huge.
Measured: norm of the gradient of the first weight matrix over that of the last (healthy 0.17-1.3); its growth over time with
  the peak of the loss over its first value (healthy at most 1.1); norm of the first gradient times norm of the weights over
  the loss (healthy 0.2-11, faulty 12-700).
Misleads: a rate that is too high makes gradients grow, too; then growth over the layers is missing and the rate is named.
Source: Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063; ranges measured on small runs.
"""

from __future__ import annotations

import math

from liebig.checks.strength import (
    disappoints,
    explodes_at_once,
    finite,
    first_pull,
    log_ramp,
    loss_peak,
    middle,
    ramp,
    room,
)
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, GradientNorms, NonFinite, StepLosses


class ExplodingGradient(Check):
    """The gradient grows through layers or time."""

    name = "exploding-gradient"
    stave = Stave.GRADIENT
    needs = (GradientNorms,)
    explains = frozenset(
        {
            "non-finite",
            "oscillating-loss",
            "not-learning",
            "underfitting",
            "dead-units",
            "saturated-units",
            "learning-rate-not-decayed",
        }
    )
    words = {
        "en": Telling(
            headline="The gradient explodes.",
            evidence="The gradient of layer {place} is {ratio:.3g} times that of the last (healthy: 0.17 to 1.3), and grew {growth:.3g}-fold while training; before the first step, one per cent of the weights was worth {pull:.3g} per cent of the loss (healthy: below 11), and the loss peaked at {peak:.3g} times its first value.",
            advice="Clip the gradient by norm, warm the rate up, normalise the layers, start from smaller weights, or lower the rate.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        norms = evidence.get(GradientNorms)
        assert norms is not None
        if not norms.norms:
            return NotApplicable("no gradient was seen")
        totals = [math.hypot(*look) for look in norms.norms]
        known = finite(totals)
        broke = len(known) < len(totals) or evidence.get(NonFinite) is not None
        growth = max(known) / known[0] if known and known[0] > 0 else math.inf
        ratio = middle(look[0] / look[-1] if look[-1] > 0 else math.nan for look in norms.norms[:3])
        losses = evidence.get(StepLosses)
        peak = loss_peak(losses) if losses else math.nan
        bad = max(disappoints(evidence), float(broke))
        through_layers = log_ramp(ratio, 10.0, 300.0) if len(norms.layers) > 2 else 0.0
        over_time = log_ramp(growth, 30.0, 3000.0) * max(log_ramp(peak, 1.5, 10.0), float(broke))
        # Inputs with long tails pull as hard at first and are learnt from all the same: here the outcome must be lost.
        at_once = explodes_at_once(evidence) * max(ramp(room(evidence), 0.75, 0.95), float(broke))
        strength = max(through_layers * (0.3 + 0.7 * bad), 0.95 * over_time, 0.95 * at_once)
        if strength < 0.05:
            return Clear()
        facts = {
            "ratio": Fact(ratio, "ratio", 10.0),
            "growth": Fact(growth, "ratio", 30.0),
            "peak": Fact(peak, "ratio", 1.5),
            "pull": Fact(first_pull(evidence), "ratio", 12.0),
        }
        return Found(strength, norms.layers[0], facts)
