"""Learning rate too low.

Means: Steps are so small that training ends long before the network has learnt.
Measured: norm of a step over norm of the weights, median over the first looks (faulty 7e-6 to 9e-6; healthy 0.004-0.04), with
  a gradient that is not gone, and a loss of which most is still there; where one was run, the rate that a range test finds; and
  how long the schedule has held the rate below a hundredth of its highest.
Misleads: pretrained weights are rightly moved in small steps; a long warm-up looks the same at first.
Source: Ranges measured on small healthy and faulty runs; Smith 2017, arXiv:1506.01186 (range test).
"""

from __future__ import annotations

from liebig.checks.numbers import finite, log_ramp, middle, ramp
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
            ),
            "scheduled": Telling(
                headline="The schedule lets the learning rate down too soon.",
                evidence="From step {since:,.0f} of {steps:,.0f} on the rate was below a hundredth of its highest, {used:.2g}, with {left:.0%} of the loss still there.",
                advice="Let the rate down later: see whether scheduler.step() is called once a batch where its numbers mean epochs.",
                short="the rate that was let down too soon",
            ),
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
        ended = _let_down(updates)
        total = max([*updates.steps, 1])
        by_schedule = 0.95 * ramp(1.0 - ended / total, 0.5, 0.75) * ramp(left, 0.3, 0.6)
        if by_schedule > max(strength, 0.05):
            highest = max(finite(updates.rates))
            told = {"since": ended, "steps": total, "used": highest, "left": 1.0 if left != left else left}
            facts = {name: Fact(float(value)) for name, value in told.items()}
            return Found(by_schedule, "", {"kind": Fact("scheduled"), **facts})
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


def _let_down(updates: UpdateRatios) -> int:
    """The step from which on the rate was below a hundredth of its highest; the last step where it never was for good."""
    last, rates = max([*updates.steps, 0]), updates.rates
    if len(rates) != len(updates.steps) or not finite(rates):
        return last
    least = 0.01 * max(finite(rates))
    alive = [step for step, rate in zip(updates.steps, rates, strict=True) if not rate < least]
    return max(alive, default=0)
