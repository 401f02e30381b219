"""Not learning.

Means: The network does no better than an answer that ignores its input.
Measured: the select loss against that of the class prior (or the training mean), in standard errors; and the training loss
  likewise.
Misleads: a target without any signal looks the same; shuffle the target and compare.
Source: common practice.
"""

from __future__ import annotations

from liebig.checks.strength import at_chance, learnt, ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, FinalScore


class NotLearning(Check):
    """At chance level on training and select rows."""

    name = "not-learning"
    stave = Stave.START
    needs = (FinalScore,)
    explains = frozenset({"underfitting", "still-improving", "class-imbalance"})
    words = {
        "en": Telling(
            headline="The network has learnt nothing.",
            evidence="Its loss on other rows is {loss:.4g}, that of an answer that ignores its input {chance:.4g} (standard error {error:.2g}); on its own training rows it learnt {learnt:.1%}.",
            advice="Mend what else is found first; then overfit one batch: a network that cannot has a fault in its code or its data.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        score = evidence.get(FinalScore)
        assert score is not None
        if not score.chance_loss > 0:
            return NotApplicable("the outcome has no loss")
        fitted = learnt(score)
        if not at_chance(score) or fitted > 0.1:
            return Clear()
        facts = {
            "loss": Fact(score.loss),
            "chance": Fact(score.chance_loss),
            "error": Fact(score.loss_error),
            "learnt": Fact(fitted, "share"),
        }
        return Found(0.6 * ramp(fitted, 0.1, 0.02) + 0.1, "", facts)
