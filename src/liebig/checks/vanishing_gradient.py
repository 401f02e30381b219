"""Vanishing gradient.

Means: The gradient shrinks on its way back: the lower layers hardly learn.
Measured: norm of the gradient of the first weight matrix over that of the last, at the first look (healthy 0.17-1.3; deep
  sigmoid 7e-10).
Misleads: a first layer of small inputs has a small gradient by itself; dead units cause the same and are then named first.
Source: Hochreiter 1991; Glorot & Bengio 2010; ranges measured on small runs.
"""

from __future__ import annotations

from liebig.checks.strength import disappoints, log_ramp, middle
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, GradientNorms


class VanishingGradient(Check):
    """The gradient of the first layer is far below that of the last."""

    name = "vanishing-gradient"
    stave = Stave.GRADIENT
    needs = (GradientNorms,)
    explains = frozenset(
        {"not-learning", "underfitting", "learning-rate-too-low", "still-improving", "learning-rate-not-decayed"}
    )
    words = {
        "en": Telling(
            headline="The gradient vanishes on its way to the first layers.",
            evidence="At the start the gradient of layer {place} is {ratio:.2g} times that of the last (healthy: 0.17 to 1.3).",
            advice="Use ReLU or GELU in place of sigmoid with He initialisation; normalise the layers; add residual connections; or take fewer layers.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        norms = evidence.get(GradientNorms)
        assert norms is not None
        if len(norms.layers) < 3:
            return NotApplicable("the network has fewer than three layers")
        if not norms.norms:
            return NotApplicable("no gradient was seen")
        early = [_ratio(look) for look in norms.norms[:3]]
        ratio = middle(early)
        if ratio != ratio:
            return NotApplicable("no gradient was finite")
        strength = log_ramp(ratio, 3e-2, 1e-4) * (0.3 + 0.7 * disappoints(evidence))
        if strength < 0.05:
            return Clear()
        return Found(strength, norms.layers[0], {"ratio": Fact(ratio, "ratio", 1e-2)})


def _ratio(look: tuple[float, ...]) -> float:
    """First over last; NaN where the last is nothing."""
    return look[0] / look[-1] if look[-1] > 0 else float("nan")
