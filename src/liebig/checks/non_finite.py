"""Not a number.

Means: A value became infinite or not a number; from there on nothing is learnt.
Measured: the first tensor that is not finite: the layer, the step, forward or backward.
Misleads: it is a symptom: its cause (data, rate, a logarithm of zero, a division, the range of float16) is usually another
  finding, under which it then stands.
Source: IEEE 754; common practice.
"""

from __future__ import annotations

from liebig.core.check import Answer, Check, Clear, Fact, Found, Stave, Telling
from liebig.core.evidence import Evidence, ProbeCost
from liebig.core.evidence import NonFinite as Broken


class NonFinite(Check):
    """Training met a value that is not finite."""

    name = "non-finite"
    stave = Stave.GRADIENT
    needs = (ProbeCost,)
    explains = frozenset({"not-learning", "underfitting"})
    words = {
        "en": Telling(
            headline="A value became infinite or not a number.",
            evidence="First in {tensor} of layer {place}, at step {step:.0f}, on the way {direction}.",
            advice="Look for its cause first: inputs that are not finite, a rate that is too high, a logarithm or division at zero.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        broken = evidence.get(Broken)
        if broken is None:
            return Clear()
        facts = {"tensor": Fact(broken.tensor), "step": Fact(float(broken.step)), "direction": Fact(broken.direction)}
        return Found(0.9, broken.layer, facts)
