"""Misaligned labels.

Means: Inputs and labels do not belong together: the network can learn its rows by heart, and on other rows it is as good as an
  answer that ignores its input.
Measured: the share of the loss learnt on the training rows; the score on the select part beside that of such an answer, in
  standard errors; the score on the training rows beside both.
Misleads: a target without any signal in these columns looks the same: look at a few rows by eye. A select part too small to
  tell chance from skill gives no answer.
Source: Zhang et al. 2017, arXiv:1611.03530 (networks fit random labels).
"""

from __future__ import annotations

import math
from typing import Final

from liebig.checks.strength import curve_chance, finite, learnt, ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence, FinalScore

#: Metrics that a network which is too sure of itself does not spoil.
_BY_CLASS: Final = frozenset({"accuracy", "balanced_accuracy", "f1", "roc_auc"})


class MisalignedLabels(Check):
    """Learnt by heart, and at chance on other rows."""

    name = "misaligned-labels"
    stave = Stave.DATA
    needs = (FinalScore,)
    explains = frozenset(
        {"overfitting", "trained-too-long", "still-improving", "not-learning", "underfitting", "class-imbalance"}
    )
    words = {
        "en": Telling(
            headline="Inputs and labels seem not to belong together.",
            evidence="On its own rows the network scores {train:.3f}, on others {select:.3f}, and an answer that ignores its input {chance:.3f} (standard error {error:.2g}): what it learnt says nothing about other rows.",
            advice="Look at a few rows by eye, from the file to the network: is each label that of its row? If so, these columns say nothing about the target.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        score = evidence.get(FinalScore)
        assert score is not None
        numbers = (score.score, score.chance, score.train_score, score.error)
        if not all(map(math.isfinite, numbers)) or not score.error > 0 or not score.chance_loss > 0:
            return NotApplicable("the outcome has no score")
        turn = 1.0 if score.higher_is_better else -1.0
        above = turn * (score.score - score.chance) / score.error
        could = turn * (score.train_score - score.chance) / score.error
        at_chance = ramp(above, 4.0, 2.0) * ramp(score.loss / score.chance_loss, 0.95, 1.0)
        strength = ramp(learnt(score), 0.1, 0.3) * at_chance * ramp(could, 6.0, 12.0) * _sure(score, evidence)
        if strength < 0.05:
            return Clear()
        facts = {
            "train": Fact(score.train_score),
            "select": Fact(score.score),
            "chance": Fact(score.chance),
            "error": Fact(score.error),
        }
        return Found(strength, "", facts)


def _sure(score: FinalScore, evidence: Evidence) -> float:
    """A network that learns weak signals by heart can fall below chance in its loss, though hardly in its ranking: there
    the curve tells, which was better than chance at some epoch."""
    curves = evidence.get(EpochCurves)
    watched = finite(curves.stop_loss) if curves else []
    if curves and watched:
        return ramp(min(watched) / curve_chance(evidence, curves), 0.9, 0.98)
    return 1.0 if score.metric in _BY_CLASS else 0.45
