"""Not a number.

Means: A value became infinite or not a number; from there on nothing is learnt.
Measured: the first tensor that is not finite: the layer, the step, forward or backward.
Misleads: it is a symptom: its cause (data, rate, a logarithm of zero, a division, the range of float16) is usually another
  finding, under which it then stands. With a gradient scaler a step that is left out now and then is normal, and not found.
Source: IEEE 754; Micikevicius et al. 2018, arXiv:1710.03740 (loss scaling).
"""

from __future__ import annotations

from liebig.checks.numbers import ramp
from liebig.checks.strength import layer_of
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, Stave, Telling
from liebig.core.evidence import Evidence, ProbeCost, SkippedSteps
from liebig.core.evidence import NonFinite as Broken


class NonFinite(Check):
    """Training met a value that is not finite."""

    name = "non-finite"
    stave = Stave.GRADIENT
    needs = (ProbeCost,)
    explains = POOR_RESULT
    words = {
        "en": Telling(
            headline="A value became infinite or not a number.",
            evidence="First in {tensor}{where}, at step {step:.0f}, on the way {direction}.",
            advice="Look for its cause first: inputs that are not finite, a rate that is too high, a logarithm or division at zero.",
            short="the value that is not finite at step {step:.0f}",
        )
    }
    kinds = {
        "en": {
            "backward": Telling(
                headline="A gradient became infinite or not a number.",
                evidence="First in {tensor}{where}, at step {step:.0f}; the way forward was still finite there.",
                advice="Clip the gradient and lower the rate. Where the loss itself was finite, look for a square root or a norm at exactly zero, and for where() around a value that is not finite: its gradient is not.",
                short="the gradient that is not finite at step {step:.0f}",
            ),
            "skipped": Telling(
                headline="Half precision leaves out most steps.",
                evidence="The gradient scaler left out {skipped:.0f} of {steps:.0f} steps because a gradient was not finite; its scale is down to {scale:.3g}.",
                advice="Take bfloat16, which has the range of float32, or keep the layer that overflows in float32; clip after scaler.unscale_().",
                short="the steps that half precision leaves out",
            ),
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        broken, skips = evidence.get(Broken), evidence.get(SkippedSteps)
        share = skips.skipped / skips.seen if skips and skips.seen > 0 else 0.0
        if broken is None or (skips is not None and broken.direction == "backward" and skips.skipped > 0):
            strength = 0.9 * ramp(share, 0.2, 0.6) if skips and skips.skipped > 3 else 0.0
            if skips is None or strength < 0.05:
                return Clear()
            return Found(
                strength,
                "",
                {
                    "kind": Fact("skipped"),
                    "skipped": Fact(float(skips.skipped)),
                    "steps": Fact(float(skips.seen)),
                    "scale": Fact(skips.scale),
                },
            )
        facts = {
            "kind": Fact(broken.direction),
            "tensor": Fact(broken.tensor),
            "where": Fact(f' of layer "{layer_of(broken.layer)}"' if broken.layer else ""),
            "step": Fact(float(broken.step)),
            "direction": Fact(broken.direction),
            "since": Fact(float(broken.step), "step"),
        }
        return Found(0.9, broken.layer, facts)
