"""Vanishing gradient.

Means: The gradient shrinks on its way back: the lower layers hardly learn.
Measured: norm of the gradient of the first weight matrices over that of the last, at the first looks and at the last ones (healthy
  0.17-1.3; deep sigmoid 7e-10).
Misleads: a last layer that starts at zero lets nothing through at first, and the gradient comes back by itself: it counts when it
  stays away. A first layer of small inputs has a small gradient by itself; dead units cause the same and are then named first.
Source: Hochreiter 1991; Glorot & Bengio 2010; ranges measured on small runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Final

from liebig.checks.numbers import finite, log_ramp, middle
from liebig.checks.strength import disappoints, gradient_layers, layer_of
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, GradientNorms

_GONE: Final = 1e-2


class VanishingGradient(Check):
    """The gradient of the first layers is far below that of the last, and stays there."""

    name = "vanishing-gradient"
    stave = Stave.GRADIENT
    needs = (GradientNorms,)
    explains = POOR_RESULT | {"learning-rate-too-low"}
    words = {
        "en": Telling(
            headline="The gradient vanishes on its way to the first layers.",
            evidence='The gradient of layer "{place}" is {ratio:.2g} times that of the last (healthy: 0.17 to 1.3).',
            advice="Use ReLU or GELU in place of sigmoid with He initialisation; normalise the layers; add residual connections; or take fewer layers.",
            short="the vanished gradients",
        )
    }
    kinds = {
        "en": {
            "late": Telling(
                headline="The gradient has vanished while training.",
                evidence='At the start the gradient of layer "{place}" was {first:.2g} times that of the last (healthy: 0.17 to 1.3); from step {since:.0f} on it is {ratio:.2g} times that.',
                advice="Something shut the layers between: look for dead or saturated units and a rate that is too high; normalise the layers.",
                short="the vanished gradients",
            )
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        norms = evidence.get(GradientNorms)
        assert norms is not None
        chosen = gradient_layers(evidence, norms.layers)
        if len(chosen) < 3:
            return NotApplicable("the network has fewer than three layers")
        if not norms.norms:
            return NotApplicable("no gradient was seen")
        ratios = [_ratio([look[i] for i in chosen if i < len(look)]) for look in norms.norms]
        known = finite(ratios)
        if not known:
            return NotApplicable("no gradient was finite")
        first, last = middle(ratios[:3]), middle(known[-3:])
        # What comes back by itself was not lost.
        ratio = last if math.isnan(first) else max(last, min(first, last))
        strength = log_ramp(ratio, 3e-2, 1e-4) * (0.3 + 0.7 * disappoints(evidence))
        if strength < 0.05:
            return Clear()
        since = _since(norms.steps, ratios)
        facts = {
            "kind": Fact("start" if math.isnan(first) or first < 3.0 * _GONE else "late"),
            "ratio": Fact(ratio, "ratio", _GONE),
            "first": Fact(first if math.isfinite(first) else ratio),
            "since": Fact(since, "step"),
        }
        return Found(strength, layer_of(norms.layers[chosen[0]]), facts)


def _ratio(look: Sequence[float]) -> float:
    """First over last; of many layers the medians of the first and last third where they are nearer to each other. NaN where
    the last is nothing."""
    if len(look) < 3 or not look[-1] > 0:
        return math.nan
    ends = look[0] / look[-1]
    third = len(look) // 3
    if third < 2:
        return ends
    upper = median(look[-third:])
    return max(ends, median(look[:third]) / upper) if upper > 0 else ends


def _since(steps: Sequence[int], ratios: Sequence[float]) -> float:
    """The step from which on it was gone for good."""
    since = 0.0
    for step, ratio in zip(steps, ratios, strict=False):
        if ratio > 3.0 * _GONE:
            since = math.nan
        elif math.isnan(since) and ratio <= 3.0 * _GONE:
            since = float(step)
    return since if math.isfinite(since) else float(steps[-1] if steps else 0)
