"""Gradients are not cleared.

Means: zero_grad() is missing: each backward pass adds to the gradients of all steps before, and the network follows a sum of old
  directions instead of the present one.
Measured: steps whose first backward pass found the whole gradient of the step before still there; how the norm of the gradient
  grew (healthy 0.5-6 fold, faulty 13 fold in 60 steps).
Misleads: gradient accumulation adds up several backward passes on purpose: there the gradients are clear when a step's work
  begins, and that is what is looked at.
Source: the documentation of torch.optim; ranges measured on small runs.
"""

from __future__ import annotations

from liebig.checks.numbers import ramp
from liebig.checks.symptoms import LOST_SIGNAL, POOR_RESULT, WILD_STEPS
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, GradientClearing


class GradientsNotCleared(Check):
    """A step's work begins with the gradient of the step before."""

    name = "gradients-not-cleared"
    stave = Stave.GRADIENT
    needs = (GradientClearing,)
    of_code = True
    explains = POOR_RESULT | WILD_STEPS | LOST_SIGNAL | {"learning-rate-too-high", "memory-growth", "overfitting",
                                                         "over-regularised", "trained-too-long", "batch-size"}  # fmt: skip
    words = {
        "en": Telling(
            headline="The gradients are never cleared: zero_grad() is missing.",
            evidence="In {kept:.0f} of {steps:.0f} steps that were looked at closely{where}, backward() added to the whole gradient of the step before; the gradient grew {growth:.1f}-fold.",
            advice="Call optimizer.zero_grad() once for each step, before backward(). If you accumulate on purpose, clear after each step.",
            short="the gradients that are never cleared",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        clearing = evidence.get(GradientClearing)
        assert clearing is not None
        if clearing.steps < 2:
            return NotApplicable("fewer than two steps were seen closely")
        share = clearing.kept / clearing.steps
        strength = 0.98 * ramp(share, 0.2, 0.6)
        if strength < 0.05:
            return Clear()
        facts = {
            "kept": Fact(float(clearing.kept), "steps"),
            "steps": Fact(float(clearing.steps), "steps"),
            "where": Fact(f" (backward() at {clearing.place})" if clearing.place else ""),
            "growth": Fact(1.0 if clearing.growth != clearing.growth else clearing.growth, "ratio", 6.0),
            "since": Fact(1.0, "step"),
        }
        return Found(strength, clearing.place, facts)
