"""The batch size does not suit the gradient.

Means: Far above the noise scale a larger batch brings hardly more than a smaller one, and the same rows pay for far fewer steps. Far
  below it each step is mostly noise.
Measured: the batch at which noise and signal of the gradient are equal (from micro-batches), with its interval, beside the batch in
  use.
Misleads: the noise scale grows while training; a batch that is too large at the start may be right at the end. Small batches also
  regularise. So a poor outcome is required, and for large batches a loss that was still falling.
Source: McCandlish et al. 2018, arXiv:1812.06162, equation 2.9; Shallue et al. 2019, arXiv:1811.03600.
"""

from __future__ import annotations

import math

from liebig.checks.numbers import log_ramp, ramp, scaled_to_hint
from liebig.checks.strength import disappoints, room
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence, NoiseScale, StepLosses


class BatchSize(Check):
    """The batch is many times too large or too small for the gradient's noise."""

    name = "batch-size"
    stave = Stave.RATE
    needs = (NoiseScale,)
    explains = frozenset(
        {"still-improving", "oscillating-loss", "learning-rate-not-decayed", "underfitting", "not-learning"}
    )
    words = {
        "en": Telling(
            headline="The batch is larger than its gradient needs.",
            evidence="At a batch of {scale:,.0f} ({low:,.0f} to {high:,.0f}) noise and signal of the gradient are equal; {batch:,.0f} rows make one step here, and the whole training made {steps:,.0f} steps.",
            advice="Take batches of about {advised:,.0f} rows: the same epochs then make {times:.0f} times as many steps. Find the rate anew with it.",
            short="the batches that are too large",
        )
    }
    kinds = {
        "en": {
            "small": Telling(
                headline="The batch is so small that steps are mostly noise.",
                evidence="At a batch of {scale:,.0f} ({low:,.0f} to {high:,.0f}) noise and signal of the gradient are equal; a step here sees {batch:,.0f} rows.",
                advice="Take batches of about {advised:,.0f} rows (or accumulate gradients), with a rate that is found anew; or let the rate decay.",
                short="the batches that are too small",
            )
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        noise = evidence.get(NoiseScale)
        assert noise is not None
        if noise.batch < 1 or not math.isfinite(noise.scale) or not noise.scale > 0:
            return NotApplicable("the gradient's noise has no scale")
        low = noise.low if math.isfinite(noise.low) and noise.low > 0 else noise.scale
        high = noise.high if math.isfinite(noise.high) and noise.high > 0 else noise.scale
        losses, left = evidence.get(StepLosses), room(evidence)
        steps = losses.total_steps if losses else 0
        few = log_ramp(float(steps), 1000.0, 150.0) if steps > 0 else 0.3
        large = log_ramp(noise.batch / max(high, 1.0), 1.5, 8.0) * ramp(left, 0.08, 0.3) * few * _falling(evidence)
        small = scaled_to_hint(0.5 * log_ramp(low / noise.batch, 30.0, 300.0) * disappoints(evidence))
        strength = max(0.9 * large, small)
        if strength < 0.05:
            return Clear()
        advised = _power_of_two(max(8.0, noise.scale)) if large >= small else _power_of_two(noise.scale / 4.0)
        facts = {
            "kind": Fact("large" if large >= small else "small"),
            "batch": Fact(float(noise.batch), "rows"),
            "scale": Fact(noise.scale, "rows"),
            "low": Fact(low, "rows"),
            "high": Fact(high, "rows"),
            "steps": Fact(float(steps), "steps"),
            "advised": Fact(advised, "rows"),
            "times": Fact(max(1.0, noise.batch / advised)),
        }
        return Found(strength, "", facts)


def _falling(evidence: Evidence) -> float:
    """Whether the training loss was still falling at the end, by its last third; a half where no curve tells."""
    curves, losses = evidence.get(EpochCurves), evidence.get(StepLosses)
    known = [value for value in (curves.train_loss if curves else ()) if math.isfinite(value)]
    if len(known) < 6 and losses:
        known = [value for value in losses.loss if math.isfinite(value)]
    if len(known) < 6:
        return 0.5
    third = max(2, len(known) // 3)
    before, after = sum(known[-2 * third : -third]) / third, sum(known[-third:]) / third
    return ramp((before - after) / max(abs(before), 1e-12), 0.01, 0.06)


def _power_of_two(value: float) -> float:
    return 2.0 ** round(math.log2(min(max(value, 1.0), 2.0**20)))
