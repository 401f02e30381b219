"""Learning rate too high.

Means: Steps are so large that they jump over what they look for; units die, the loss swings or grows.
Measured: norm of a step over norm of the weights, median of the first five steps (healthy 0.004-0.04, faulty 0.14-0.43); peak
  of the loss over its first value (healthy at most 1.1, faulty 3.3-50); and, where one was run, a range test on a copy: the
  largest rate that does not diverge.
Misleads: a short warm-up hides it; zero weights make the ratio large without harm; a small network may take large steps and
  learn all the same, so the outcome is asked. A gradient that explodes before the first step makes every step too large: then
  that is named.
Source: Ranges measured on small healthy and faulty runs; Smith 2017, arXiv:1506.01186 (range test).
"""

from __future__ import annotations

import math

from liebig.checks.numbers import log_ramp, middle, ramp
from liebig.checks.rates import advised_rate, early_ratio
from liebig.checks.strength import disappoints, explodes_at_once, layer_of, loss_peak, room
from liebig.checks.symptoms import LOST_SIGNAL, POOR_RESULT, WILD_STEPS
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, NonFinite, RateRange, StepLosses, UpdateRatios


class LearningRateTooHigh(Check):
    """The first steps are a large part of the weights, or the loss peaks."""

    name = "learning-rate-too-high"
    stave = Stave.RATE
    needs = (UpdateRatios,)
    explains = POOR_RESULT | WILD_STEPS | LOST_SIGNAL | {"over-regularised"}
    words = {
        "en": Telling(
            headline="The learning rate is too high.",
            evidence="In the first five steps the weights moved by {ratio:.1%} of their size a step (healthy: 0.4 to 4 %).{peaked}",
            advice="Take a third of the rate or less, or what a range test finds; warm it up; let it decay.",
            short="the steps that are too large",
        )
    }
    kinds = {
        "en": {
            "try": Telling(
                headline="The learning rate is too high.",
                evidence="In the first five steps the weights moved by {ratio:.1%} of their size a step (healthy: 0.4 to 4 %).{peaked}",
                advice="Try {found:.3g} instead of {used:.3g}, with a warm-up of 100 steps.",
                short="the steps that are too large",
            )
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        updates = evidence.get(UpdateRatios)
        assert updates is not None
        early = [look for step, look in zip(updates.steps, updates.ratios, strict=False) if step < 6][:5]
        if not early or not updates.layers:
            return NotApplicable("the first steps were not seen")
        ratio = early_ratio(updates)
        if ratio != ratio:
            return NotApplicable("no step was finite")
        losses = evidence.get(StepLosses)
        peak = loss_peak(losses) if losses else math.nan
        bad = max(disappoints(evidence), float(evidence.get(NonFinite) is not None))
        lost = max(ramp(room(evidence), 0.4, 0.8), float(evidence.get(NonFinite) is not None))
        step_part, peak_part = log_ramp(ratio, 0.05, 0.16), log_ramp(peak, 1.5, 3.5)
        # Healthy first steps and a peak later on: something else grew, and the rate is a suspect only.
        both = min(1.0, step_part + peak_part) if step_part > 0.1 else 0.55 * peak_part
        strength = max(step_part * (0.25 + 0.25 * bad + 0.5 * lost), 0.95 * both * bad)
        strength *= (1.0 - 0.65 * explodes_at_once(evidence)) * _tested(evidence)
        if strength < 0.05:
            return Clear()
        advised = advised_rate(evidence, ratio)
        facts = {
            "kind": Fact("try" if advised.known and advised.found < 0.7 * advised.used else "less"),
            "ratio": Fact(ratio, "share", 0.05),
            "peak": Fact(peak, "ratio", 1.5),
            "peaked": Fact(
                f" The loss peaked at {peak:.3g} times its first value (healthy: at most 1.1)." if peak > 1.5 else ""
            ),
            "used": Fact(advised.used),
            "found": Fact(advised.found),
            "since": Fact(1.0 if step_part > 0.1 else _peaked_at(losses), "step"),
        }
        return Found(min(1.0, strength), _most_moved(updates), facts)


def _tested(evidence: Evidence) -> float:
    """What a range test says: 1 where there was none, or it agrees; less where the rate lies well within its range."""
    tested = evidence.get(RateRange)
    if tested is None or not tested.largest > 0 or not tested.used > 0:
        return 1.0
    return 0.4 + 0.6 * log_ramp(tested.used / tested.largest, 0.05, 0.3)


def _peaked_at(losses: StepLosses | None) -> float:
    """The step at which the loss first was half as large again as at first."""
    if losses is None or not losses.loss:
        return 1.0
    peaks = (step for step, loss in zip(losses.steps, losses.loss, strict=False) if not loss <= 1.5 * losses.loss[0])
    return float(next(peaks, 1))


def _most_moved(updates: UpdateRatios) -> str:
    by_layer = [
        (middle(look[i] for look in updates.ratios[:5] if i < len(look)), name) for i, name in enumerate(updates.layers)
    ]
    known = [each for each in by_layer if each[0] == each[0]]
    return layer_of(max(known)[1]) if known else ""
