"""Unscaled targets.

Means: The target of a regression is far from zero mean and unit scale. The loss, its gradients and so every step are as
  large as the square of that scale.
Measured: mean and standard deviation of the targets as the loss sees them; the spread of the untrained answers beside it.
Misleads: where the output layer is scaled to the target by hand this says nothing; then the two spreads agree.
Source: Bishop 1995, "Neural networks for pattern recognition", section 8.2; the log-loss ratio measured on small runs.
"""

from __future__ import annotations

from liebig.checks.numbers import log_ramp, ramp
from liebig.checks.strength import disappoints
from liebig.checks.symptoms import LOST_SIGNAL, POOR_RESULT, WILD_STEPS
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, InitialLoss


class UnscaledTargets(Check):
    """A target that the loss sees far from zero mean and unit spread."""

    name = "unscaled-targets"
    stave = Stave.SCALE
    needs = (InitialLoss,)
    explains = (
        POOR_RESULT | WILD_STEPS | LOST_SIGNAL | {"learning-rate-too-high", "learning-rate-too-low", "batch-size"}
    )
    words = {
        "en": Telling(
            headline="The target is not scaled.",
            evidence="As the loss sees it the target has mean {mean:.3g} and standard deviation {scale:.3g} (well scaled: 0 and 1); the untrained answers spread by {output:.3g}.",
            advice="Standardise the target, (y - mean) / standard deviation of the training rows, and turn predictions back; a target with a long tail may need its logarithm first.",
            short="the target that is not scaled",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        initial = evidence.get(InitialLoss)
        assert initial is not None
        if not initial.target_scale > 0:
            return NotApplicable("the target is a class")
        far = abs(initial.target_mean) / initial.target_scale
        large, small = log_ramp(initial.target_scale, 4.0, 40.0), log_ramp(initial.target_scale, 0.2, 0.02)
        strength = max(large, 0.8 * small * disappoints(evidence), 0.6 * ramp(far, 3.0, 10.0) * disappoints(evidence))
        if strength < 0.05:
            return Clear()
        facts = {
            "mean": Fact(initial.target_mean),
            "scale": Fact(initial.target_scale, "", 4.0),
            "output": Fact(initial.output_scale),
            "since": Fact(0.0, "step"),
        }
        return Found(strength * (0.4 + 0.6 * disappoints(evidence)), "", facts)
