"""Learning rate too low.

Means: Steps are so small that training ends long before the network has learnt.
Measured: norm of a step over norm of the weights, median over the first looks (faulty 7e-6 to 9e-6; healthy 0.004-0.04), with
  a gradient that is not gone, and a loss of which most is still there; and, where one was run, the rate that a range test finds.
Misleads: pretrained weights are rightly moved in small steps; a long warm-up looks the same at first.
Source: Ranges measured on small healthy and faulty runs; Smith 2017, arXiv:1506.01186 (range test).
"""

from __future__ import annotations

from liebig.checks.numbers import log_ramp, middle, ramp
from liebig.checks.rates import advised_rate
from liebig.checks.strength import room
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, RateRange, UpdateRatios


class LearningRateTooLow(Check):
    """Tiny steps, and a bad outcome."""

    name = "learning-rate-too-low"
    stave = Stave.RATE
    needs = (UpdateRatios,)
    explains = POOR_RESULT
    words = {
        "en": Telling(
            headline="The learning rate is too low.",
            evidence="A step moves the weights by {ratio:.2g} of their size (healthy: 0.004 to 0.04), and {left:.0%} of the loss is still there.",
            advice="Take thirty times the rate, or what a range test finds; or a one-cycle schedule.",
            short="the steps that are too small",
        )
    }
    kinds = {
        "en": {
            "try": Telling(
                headline="The learning rate is too low.",
                evidence="A step moves the weights by {ratio:.2g} of their size (healthy: 0.004 to 0.04), and {left:.0%} of the loss is still there.",
                advice="Try {found:.3g} instead of {used:.3g}, or a one-cycle schedule up to it.",
                short="the steps that are too small",
            )
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        updates = evidence.get(UpdateRatios)
        assert updates is not None
        looks = [look for step, look in zip(updates.steps, updates.ratios, strict=False) if step >= 1]
        ratio = middle(middle(look) for look in (looks or list(updates.ratios))[:10])
        if ratio != ratio:
            return NotApplicable("no step was finite")
        if ratio == 0.0:
            return NotApplicable("the weights did not move at all")
        left = room(evidence)
        strength = log_ramp(ratio, 5e-4, 3e-5) * ramp(left, 0.1, 0.5)
        tested = evidence.get(RateRange)
        if tested and tested.found > 0 and tested.used > 0:
            times = tested.found / tested.used
            by_test = 0.8 * log_ramp(times, 10.0, 100.0) * log_ramp(ratio, 3e-3, 3e-4) * ramp(left, 0.1, 0.5)
            strength = max(strength * (0.5 + 0.5 * log_ramp(times, 1.5, 6.0)), by_test)
        if strength < 0.05:
            return Clear()
        advised = advised_rate(evidence, ratio)
        facts = {
            "kind": Fact("try" if advised.known and advised.found > 1.5 * advised.used else "more"),
            "ratio": Fact(ratio, "share", 5e-4),
            "left": Fact(1.0 if left != left else left, "share"),
            "used": Fact(advised.used),
            "found": Fact(advised.found),
            "since": Fact(1.0, "step"),
        }
        return Found(strength, "", facts)
