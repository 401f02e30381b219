"""Not learning.

Means: The network does no better than an answer that ignores its input.
Measured: the loss on other rows against that of the class prior (or the training mean), in standard errors; the training loss
  likewise; and, on copies: whether one batch can be learnt by heart, and whether shuffled inputs are learnt as well as true ones.
Misleads: a target without any signal looks the same; shuffled inputs then do as well as the true ones.
Source: Karpathy 2019, "A recipe for training neural networks" (overfit one batch; the input-independent baseline).
"""

from __future__ import annotations

import math

from liebig.checks.numbers import over, ramp
from liebig.checks.outcome import outcome
from liebig.checks.strength import at_chance, has_had_time, learnt, room
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, NotMeasured, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence, FinalScore, OneBatch, ShuffledInputs, StepLosses


class NotLearning(Check):
    """At chance level on training rows, and on other rows where they were seen."""

    name = "not-learning"
    stave = Stave.START
    needs = ((FinalScore, EpochCurves, StepLosses),)
    explains = frozenset({"underfitting", "still-improving", "class-imbalance"})
    words = {
        "en": Telling(
            headline="The network has learnt nothing.",
            evidence="{seen} An answer that ignores its input has a loss of {chance:.4g}; of that it learnt {learnt:.1%} on its own training rows.{shuffled}",
            advice="Mend what else is found first; then overfit one batch: a network that cannot has a fault in its code or its data.",
            short="that nothing is learnt",
        )
    }
    kinds = {
        "en": {
            "cannot": Telling(
                headline="The network cannot learn even one batch.",
                evidence="{seen} An answer that ignores its input has a loss of {chance:.4g}. Trained on {rows:.0f} rows alone for {steps:.0f} steps, it went from {first:.3g} to {last:.3g}.{shuffled}",
                advice="More data or more time cannot help: look at the path from the input to the loss (detach, wrong dimension of a softmax, dead layers, labels that are not those of the rows).",
                short="that nothing is learnt",
            ),
            "can": Telling(
                headline="The network has learnt nothing, though it can.",
                evidence="{seen} An answer that ignores its input has a loss of {chance:.4g}. Yet {rows:.0f} rows alone it learns by heart in {steps:.0f} steps (from {first:.3g} to {last:.3g}) with an optimizer of Liebig's.{shuffled}",
                advice="Network and loss can do it: look at the rate, the optimizer and its schedule, at regularisation, and at whether each label is that of its row.",
                short="that nothing is learnt",
            ),
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        score = outcome(evidence)
        if score is None:
            return NotMeasured("FinalScore")
        if not score.chance_loss > 0:
            return NotApplicable("the outcome has no loss")
        fitted, left = learnt(score), room(evidence)
        if left == left:
            fitted = max(fitted, 1.0 - left)
        if not at_chance(score) or fitted > 0.1:
            return Clear()
        batch = evidence.get(OneBatch)
        facts = {
            "kind": Fact(_kind(batch)),
            "seen": Fact(_seen(score)),
            "loss": Fact(score.loss if math.isfinite(score.loss) else score.train_loss),
            "chance": Fact(score.chance_loss),
            "learnt": Fact(fitted, "share"),
            "shuffled": Fact(_shuffled(evidence.get(ShuffledInputs))),
        }
        if batch is not None:
            facts |= {
                "rows": Fact(float(batch.rows), "rows"),
                "steps": Fact(float(batch.steps), "steps"),
                "first": Fact(batch.first_loss),
                "last": Fact(batch.last_loss),
            }
        strength = 0.6 * ramp(fitted, 0.1, 0.02) + 0.1
        return Found(strength * (0.4 + 0.6 * has_had_time(evidence)), "", facts)


def _kind(batch: OneBatch | None) -> str:
    """What one batch says of the network: that it can, or cannot, be learnt by heart."""
    if batch is None or not batch.chance_loss > 0 or not math.isfinite(batch.last_loss):
        return "unknown"
    left = over(batch.last_loss, batch.chance_loss)
    return "can" if left < 0.3 else "cannot" if left > 0.8 and batch.steps >= 50 else "unknown"


def _seen(score: FinalScore) -> str:
    if not math.isfinite(score.loss):
        return f"Its loss on its own training rows is {score.train_loss:.4g}."
    error = f" (standard error {score.loss_error:.2g})" if math.isfinite(score.loss_error) else ""
    return f"Its loss on other rows is {score.loss:.4g}{error}."


def _shuffled(shuffled: ShuffledInputs | None) -> str:
    """Said only where true pairs are learnt no better than shuffled ones."""
    if shuffled is None or not shuffled.error > 0 or not math.isfinite(shuffled.true_loss - shuffled.shuffled_loss):
        return ""
    if shuffled.shuffled_loss - shuffled.true_loss > 2.0 * shuffled.error:
        return ""
    return " Trained on inputs that are shuffled against their labels, a copy does as well."
