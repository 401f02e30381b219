"""Misaligned labels.

Means: Inputs and labels do not belong together: the network can learn its rows by heart, and on other rows it is as good as an
  answer that ignores its input.
Measured: the share of the loss learnt on the training rows; the score on other rows beside that of such an answer, in standard
  errors; the score on the training rows beside both; and, where it was tried, copies trained on true and on shuffled pairs,
  what the nearest rows say of a row's label, and the answer to the same rows beside other ones.
Misleads: a target without any signal in these columns looks the same: look at a few rows by eye. A validation part too small to
  tell chance from skill gives no answer.
Source: Zhang et al. 2017, arXiv:1611.03530 (networks fit random labels).
"""

from __future__ import annotations

import math
from typing import Final

from liebig.checks.numbers import finite, ramp
from liebig.checks.outcome import outcome
from liebig.checks.strength import at_chance, curve_chance, disappoints, learnt
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, NotMeasured, Stave, Telling
from liebig.core.evidence import (
    EpochCurves,
    Evidence,
    FinalScore,
    LabelAgreement,
    OneBatch,
    SameBatchTwice,
    ShuffledInputs,
)

#: Metrics that a network which is too sure of itself does not spoil.
_BY_CLASS: Final = frozenset({"accuracy", "balanced_accuracy", "f1", "roc_auc"})


class MisalignedLabels(Check):
    """Learnt by heart, and at chance on other rows; or rows that are mixed, or say nothing of their labels."""

    name = "misaligned-labels"
    stave = Stave.DATA
    needs = ((FinalScore, EpochCurves),)
    explains = POOR_RESULT | {"overfitting", "trained-too-long", "label-noise", "too-little-data"}
    words = {
        "en": Telling(
            headline="Inputs and labels seem not to belong together.",
            evidence="The network learnt {learnt:.0%} of the loss on its own rows, and on others {others}: what it learnt says nothing about other rows.{shuffled}",
            advice="Look at a few rows by eye, from the file to the network: is each label that of its row (one of the two sorted, shuffled or filtered alone)? If so, these inputs say nothing about the target.",
            short="labels that are not those of their rows",
        )
    }
    kinds = {
        "en": {
            "mixed": Telling(
                headline="The answer to a row depends on the other rows of its batch.",
                evidence="In evaluation mode the same rows beside other ones get answers that differ by {mixed:.2g} of the answers' spread, and beside the same ones by nothing: rows are mixed on the way, and meet labels that are not theirs.",
                advice="Look where dimensions change places: view or reshape where permute is needed, batch_first of recurrent and attention layers, a softmax, mean or normalisation over dimension 0, x[-1] where x[:, -1] is meant.",
                short="the rows that are mixed",
            ),
            "nothing": Telling(
                headline="Labels seem not to be those of their rows.",
                evidence="The network learnt nothing, and its nearest rows say nothing of a row's label either ({neighbours:.1f} standard errors above the commonest class); a few rows alone it can learn by heart.{shuffled}",
                advice="Look at a few rows by eye, from the file to the network: is each label that of its row (one of the two sorted, shuffled or filtered alone)? If so, these inputs say nothing about the target.",
                short="labels that are not those of their rows",
            ),
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        score = outcome(evidence)
        if score is None or (evidence.get(FinalScore) is None and not math.isfinite(score.loss)):
            return NotMeasured("FinalScore")
        if not score.chance_loss > 0 or not math.isfinite(score.loss):
            return NotApplicable("the outcome has no loss")
        strength = ramp(learnt(score), 0.1, 0.3) * _at_chance(score) * _sure(score, evidence)
        shuffled = evidence.get(ShuffledInputs)
        told = ""
        if shuffled is not None and shuffled.error > 0 and math.isfinite(shuffled.shuffled_loss - shuffled.true_loss):
            beyond = (shuffled.shuffled_loss - shuffled.true_loss) / shuffled.error
            better = 1.0 - shuffled.true_loss / shuffled.chance_loss if shuffled.chance_loss > 0 else 0.0
            # Early in training true pairs say something about other rows, if they say anything.
            strength *= 1.0 - 0.8 * ramp(beyond, 2.0, 5.0) * ramp(better, 0.0, 0.05)
            if beyond < 2.0:
                told = " A copy that is trained on inputs shuffled against their labels does as well."
        unlike, mixed = _nothing(score, evidence), _mixed(evidence)
        strength, kind = max((strength, "alone"), (unlike, "nothing"), (mixed, "mixed"))
        if strength < 0.05:
            return Clear()
        agreement, twice = evidence.get(LabelAgreement), evidence.get(SameBatchTwice)
        facts = {
            "kind": Fact(kind),
            "mixed": Fact(twice.mixed if twice else 0.0),
            "neighbours": Fact(agreement.neighbours if agreement else math.nan, "standard errors", 2.0),
            "learnt": Fact(learnt(score), "share"),
            "others": Fact(_told(score)),
            "train": Fact(score.train_score),
            "select": Fact(score.score),
            "chance": Fact(score.chance),
            "error": Fact(score.error),
            "shuffled": Fact(told),
        }
        return Found(strength, "", facts)


def _mixed(evidence: Evidence) -> float:
    """How surely rows are answered by other rows: nobody's mistake where all is well (batch statistics that are not kept)."""
    twice = evidence.get(SameBatchTwice)
    return 0.0 if twice is None else ramp(twice.mixed, 0.01, 0.05) * (0.3 + 0.67 * disappoints(evidence))


def _nothing(score: FinalScore, evidence: Evidence) -> float:
    """How surely inputs say nothing of labels where the network learnt nothing: neither do their nearest rows, true pairs are
    learnt no better than shuffled ones, and yet a few rows alone are learnt by heart."""
    agreement, shuffled, batch = evidence.get(LabelAgreement), evidence.get(ShuffledInputs), evidence.get(OneBatch)
    if agreement is None or shuffled is None or batch is None or not shuffled.error > 0 or not batch.chance_loss > 0:
        return 0.0
    beyond = (shuffled.shuffled_loss - shuffled.true_loss) / shuffled.error
    by_heart = ramp(batch.last_loss / batch.chance_loss, 0.9, 0.5)
    alike = ramp(agreement.neighbours, 3.0, 1.0) * ramp(beyond, 4.0, 2.0)
    many = ramp(float(agreement.rows), 100.0, 400.0)  # of fewer rows the nearest are far away
    return 0.8 * alike * by_heart * many * ramp(learnt(score), 0.2, 0.1) * float(at_chance(score))


def _at_chance(score: FinalScore) -> float:
    """How surely the answers on other rows are those of chance, where the training rows are not."""
    by_loss = ramp(score.loss / score.chance_loss, 0.95, 1.0)
    numbers = (score.score, score.chance, score.error)
    if not all(map(math.isfinite, numbers)) or not score.error > 0:
        rows = ramp(float(score.select_rows), 30.0, 100.0) if score.select_rows else 0.8
        return by_loss * rows
    turn = 1.0 if score.higher_is_better else -1.0
    above = turn * (score.score - score.chance) / score.error
    known = math.isfinite(score.train_score)
    could = turn * (score.train_score - score.chance) / score.error if known else learnt(score) / score.error
    return by_loss * ramp(above, 4.0, 2.0) * ramp(could, 6.0, 12.0)


def _told(score: FinalScore) -> str:
    if all(map(math.isfinite, (score.score, score.chance, score.error))):
        return (
            f"it scores {score.score:.3f} where an answer that ignores its input scores {score.chance:.3f} (standard error "
            f"{score.error:.2g})"
        )
    return f"its loss is {score.loss:.3g} where an answer that ignores its input has {score.chance_loss:.3g}"


def _sure(score: FinalScore, evidence: Evidence) -> float:
    """A network that learns weak signals by heart can fall below chance in its loss, though hardly in its ranking: there
    the curve tells, which was better than chance at some epoch."""
    curves = evidence.get(EpochCurves)
    watched = finite(curves.stop_loss) if curves else []
    if curves and watched:
        return ramp(min(watched) / curve_chance(evidence, curves), 0.9, 0.98)
    return 1.0 if score.metric in _BY_CLASS else 0.45
