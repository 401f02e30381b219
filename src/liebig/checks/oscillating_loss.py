"""Oscillating loss.

Means: The loss swings from step to step by more than the sampling of batches explains.
Measured: swings of the batch loss over the expected noise of a batch, after the first steps.
Misleads: very small batches swing by themselves: that is why swings are divided by the noise of a batch.
Source: common practice; normalised by the standard error of a batch.
"""

from __future__ import annotations

import itertools
import math

from liebig.checks.numbers import log_ramp, middle, ramp
from liebig.checks.strength import disappoints
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, StepLosses


class OscillatingLoss(Check):
    """Swings beyond the batch noise."""

    name = "oscillating-loss"
    stave = Stave.RATE
    needs = (StepLosses,)
    explains = frozenset()
    words = {
        "en": Telling(
            headline="The loss swings.",
            evidence="From look to look the batch loss moves by {swing:.1f} times what sampling gives.",
            advice="Lower the rate, take larger batches, less momentum, or average the weights.",
            short="the swinging loss",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        losses = evidence.get(StepLosses)
        assert losses is not None
        seen = [
            (loss, noise)
            for step, loss, noise in zip(losses.steps, losses.loss, losses.batch_noise, strict=True)
            if step >= 10 and math.isfinite(loss) and noise > 0
        ]
        if len(seen) < 12:
            return NotApplicable("fewer than twelve steps were seen")
        swings = [abs(b[0] - a[0]) / (1.13 * math.hypot(a[1], b[1])) for a, b in itertools.pairwise(seen)]
        turns = sum((b[0] - a[0]) * (c[0] - b[0]) < 0 for a, b, c in zip(seen, seen[1:], seen[2:], strict=False)) / (
            len(seen) - 2
        )
        swing = middle(swings)
        strength = log_ramp(swing, 2.5, 8.0) * ramp(turns, 0.4, 0.6) * disappoints(evidence)
        if strength < 0.05:
            return Clear()
        return Found(strength, "", {"swing": Fact(swing, "ratio", 2.5), "since": Fact(float(losses.steps[-1]), "step")})
