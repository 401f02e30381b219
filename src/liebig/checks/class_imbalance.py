"""Class imbalance.

Means: Rare classes are lost: the network hardly ever answers them, though it can tell them apart.
Measured: share of each class in the training rows, its recall on the select part and its ROC AUC against the rest.
Misleads: imbalance alone does no harm, and with ROC AUC as the metric class weights won on no table: only lost recall counts.
Source: He & Garcia 2009, "Learning from imbalanced data".
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

from liebig.checks.numbers import finite, middle, ramp, scaled_to_hint
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, NotMeasured, Stave, Telling
from liebig.core.evidence import ClassRecall, Evidence, FinalScore, InitialLoss

_OF_NUMBERS: Final = frozenset({"rmse", "mae", "r2"})
_NORMAL: Final = NormalDist()
_OF_RANKS: Final = frozenset({"roc_auc", "log_loss"})


class ClassImbalance(Check):
    """A rare class with lost recall."""

    name = "class-imbalance"
    stave = Stave.DATA
    needs = ((ClassRecall, FinalScore, InitialLoss),)
    explains = frozenset({"overfitting", "trained-too-long"})
    words = {
        "en": Telling(
            headline='The class "{place}" is lost.',
            evidence="It is {prior:.1%} of the training rows, and {recall:.0%} of its rows are found (the others: {others:.0%}); {could}.",
            advice="Move the threshold; or class weights, balanced batches, more rows of that class.",
            short='the lost class "{place}"',
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        recall, score = evidence.get(ClassRecall), evidence.get(FinalScore)
        if recall is None:
            initial = evidence.get(InitialLoss)
            of_numbers = score.metric in _OF_NUMBERS if score else initial is not None and initial.target_scale > 0
            return NotApplicable("the target is a number") if of_numbers else NotMeasured("ClassRecall")
        count = len(recall.classes)
        if count < 2:
            return NotApplicable("there are no classes")
        best: tuple[float, str, dict[str, Fact]] = (0.0, "", {})
        for i, name in enumerate(recall.classes):
            rows = recall.rows[i]
            others = middle(recall.recall[j] for j in range(count) if j != i)
            if rows < 2 or recall.recall[i] != recall.recall[i] or others != others:
                continue
            rare = ramp(recall.prior[i] * count, 0.6, 0.25)
            error = math.sqrt(max(others * (1 - others), 0.01) / rows)
            reachable = max(_reachable(recall.auc[i], count), _hardest(recall))
            missing = min(others, reachable) - recall.recall[i]
            lost = ramp(missing, 0.2, 0.6) * ramp(missing / error, 2.0, 4.0)
            strength = rare * lost * (0.2 + 0.8 * _could(recall.auc[i]))
            if strength > best[0]:
                facts = {
                    "prior": Fact(recall.prior[i], "share"),
                    "recall": Fact(recall.recall[i], "share"),
                    "others": Fact(others, "share"),
                    "auc": Fact(recall.auc[i]),
                    "could": Fact(_told(recall.auc[i])),
                }
                best = (strength, name, facts)
        if best[0] < 0.05:
            return Clear()
        # What is ranked, not answered, is not lost by the threshold: there it is a hint.
        strength = scaled_to_hint(0.5 * best[0]) if score and score.metric in _OF_RANKS else best[0]
        return Found(strength, best[1], best[2])


def _reachable(auc: float, count: int) -> float:
    """The recall that the likeliest class gives at this ROC AUC if all classes were equally frequent (scores normal, of equal
    spread): a class that cannot be told from the others well is rightly named seldom. 1 where the AUC was not measured."""
    if not math.isfinite(auc):
        return 1.0
    apart = math.sqrt(2.0) * _NORMAL.inv_cdf(min(max(auc, 0.501), 0.9999))
    return _NORMAL.cdf(apart / 2.0 - math.log(count - 1) / apart)


def _hardest(recall: ClassRecall) -> float:
    """The lowest recall among classes that are not rare: what a class of this task gives, if it is as hard as the hardest of
    them. 0 where fewer than three are known."""
    count = len(recall.classes)
    common = finite(own for own, prior in zip(recall.recall, recall.prior, strict=True) if prior * count > 0.6)
    return min(common) if len(common) >= 3 else 0.0


def _could(auc: float) -> float:
    """Whether the class could be told apart, by its ROC AUC against the rest; likely where that was not measured."""
    return ramp(auc, 0.6, 0.85) if math.isfinite(auc) else 0.6


def _told(auc: float) -> str:
    return (
        f"its ROC AUC against the rest is {auc:.2f}"
        if math.isfinite(auc)
        else "how well it could be told apart is not known"
    )
