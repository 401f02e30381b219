"""Learning rate not decayed.

Means: At a constant rate the weights go on trembling around the best place: the last part of the gain is never taken.
Measured: a rate that stayed the same; and, on copies that train on from where the network stands, the loss at that rate beside
  that with the rate let down to nothing: certain on the training rows, and not lost on others. Where that was not tried, in the last third of the epochs the loss on the stop
  part swings by more than it falls: a hint.
Misleads: averaged weights take the trembling out without any decay; then there is nothing to find. A rate that is far too high has
  taken the network to a place that no decay mends: then that is named.
Source: Robbins & Monro 1951; measured: averaging at a constant rate gave what cosine gives.
"""

from __future__ import annotations

import itertools
import math

from liebig.checks.numbers import finite, middle, ramp, scaled_to_hint, slope
from liebig.checks.rates import cooling_mends
from liebig.checks.strength import disappoints
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Cooled, EpochCurves, Evidence, UpdateRatios


class LearningRateNotDecayed(Check):
    """A late plateau of swings at a constant rate."""

    name = "learning-rate-not-decayed"
    stave = Stave.RATE
    needs = ((EpochCurves, Cooled),)
    explains = frozenset({"oscillating-loss"})
    words = {
        "en": Telling(
            headline="The learning rate never came down.",
            evidence="It {stayed}; over the last {epochs:.0f} epochs the loss swung by {swing:.2g} from epoch to epoch and fell by {fall:.2g} in all.",
            advice="Let the rate decay (cosine, or reduce on plateau), or average the weights (EMA).",
            short="the rate that never comes down",
        )
    }
    kinds = {
        "en": {
            "cooled": Telling(
                headline="The learning rate never came down.",
                evidence="It {stayed}. A copy trained on for {steps:.0f} steps has a loss of {steady:.3g} on other rows at that rate, and {cooled:.3g} with the rate let down to nothing; on the training rows the fall takes {own:.1%} of the loss of chance off.",
                advice="Let the rate decay (cosine, or reduce on plateau), or average the weights (EMA).",
                short="the rate that never comes down",
            )
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        curves, updates, cooled = evidence.get(EpochCurves), evidence.get(UpdateRatios), evidence.get(Cooled)
        rates = finite(curves.rates if curves else ()) or finite(updates.rates if updates else ())
        if rates and min(rates) < 0.5 * max(rates):
            return Clear()
        stayed = {
            "rate": Fact(rates[-1] if rates else math.nan),
            "stayed": Fact(f"stayed at {rates[-1]:.3g}" if rates else "seems to have stayed the same"),
        }
        if cooled is not None:
            strength = 0.9 * cooling_mends(evidence) * disappoints(evidence)
            if strength < 0.05:
                return Clear()
            facts = {
                "kind": Fact("cooled"),
                "steady": Fact(cooled.steady_loss),
                "cooled": Fact(cooled.cooled_loss),
                "steps": Fact(float(cooled.steps), "steps"),
                "own": Fact(min(cooled.train_steady, cooled.train_before) - cooled.train_cooled, "share", 0.015),
            }
            return Found(strength, "", stayed | facts)
        return NotApplicable("no epoch was logged") if curves is None else _by_curves(evidence, curves, stayed)


def _by_curves(evidence: Evidence, curves: EpochCurves, stayed: dict[str, Fact]) -> Answer:
    """Swings from epoch to epoch beside the fall: without an experiment it is a hint."""
    losses = finite(curves.stop_loss) or finite(curves.train_loss)
    if len(losses) < 9:
        return NotApplicable("fewer than nine epochs were trained")
    last = losses[-max(4, len(losses) // 3) :]
    fall = max(0.0, -slope(last) * (len(last) - 1))
    swing = middle(abs(b - a) for a, b in itertools.pairwise(last))
    floor = middle(finite(curves.stop_loss_error)) if finite(curves.stop_loss_error) else 0.0
    level = abs(middle(last)) + 1e-12
    strength = scaled_to_hint(ramp(swing / (fall + 1e-12), 0.7, 3.0) * ramp(swing / level, 0.01, 0.08))
    strength *= 0.4 + 0.6 * disappoints(evidence)
    if strength < 0.05:
        return Clear()
    facts = {"epochs": Fact(float(len(last)), "epochs"), "swing": Fact(swing, "", floor), "fall": Fact(fall)}
    return Found(strength, "", stayed | facts)
