"""Label noise.

Means: A part of the labels is wrong. What the network learns from them is taken from what it learns from the rest, and if it trains
  long enough it learns them by heart.
Measured: labels that disagree with answers out of sample by more than those of sure rows do (confident learning), with the
  standard error; or, where that was not tried, training rows that stay harder than other rows though nothing (dropout,
  augmentation, smoothing) makes them so.
Misleads: classes that overlap disagree, too: the share then is that of rows that cannot be told apart. A network that can tell
  nothing apart, or is wrong as often as right where it is surest, says nothing about its labels.
Source: Northcutt, Jiang & Chuang 2021, arXiv:1911.00068; Zhang et al. 2017, arXiv:1611.03530 (noise is learnt late).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from liebig.checks.numbers import finite, ramp
from liebig.checks.outcome import is_classes, loss_floor, outcome
from liebig.checks.strength import curve_chance, learnt, room
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, NotMeasured, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence, LabelAgreement, LossCalls, ModuleModes

_SHOWN: Final = 5


class LabelNoise(Check):
    """Labels that answers out of sample contradict; or training rows that stay harder than others."""

    name = "label-noise"
    stave = Stave.DATA
    needs = ((LabelAgreement, EpochCurves),)
    explains = frozenset(
        {"overfitting", "underfitting", "still-improving", "oscillating-loss", "learning-rate-not-decayed", "trained-too-long",
         "too-little-data", "over-regularised", "class-imbalance"}
    )  # fmt: skip
    words = {
        "en": Telling(
            headline="A part of the training labels is wrong.",
            evidence="About {share:.0%} +-{error:.0%} of {rows:,.0f} labels disagree with what a network says that has not seen them, and is sure of.{suspects}",
            advice="Look at the most suspect rows first and mend them. Meanwhile: label smoothing or a robust loss, early stopping, and no training until all is learnt by heart.",
            short="the wrong labels",
        )
    }
    kinds = {
        "en": {
            "harder": Telling(
                headline="The training labels seem to be partly wrong.",
                evidence="After epoch {epoch:.0f} the loss is {train:.3g} on the training rows and {other:.3g} on other rows, though nothing that is on in training only explains that the rows trained on are the harder ones.",
                advice="Look at training rows whose loss stays high: are their labels right? watch.probe() with train= lists the most suspect. Meanwhile: label smoothing and early stopping.",
                short="the wrong labels",
            )
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        agreement, curves = evidence.get(LabelAgreement), evidence.get(EpochCurves)
        if agreement is not None and agreement.is_known and (curves is None or not _is_undecided(agreement)):
            return _by_agreement(evidence, agreement)
        return _by_curves(evidence) if curves is not None else NotMeasured("EpochCurves")


def _by_agreement(evidence: Evidence, agreement: LabelAgreement) -> Answer:
    beyond = agreement.share / agreement.error if agreement.error > 0 else math.inf
    # A network that tells nothing apart out of sample has no right to doubt its labels.
    score = outcome(evidence)
    tells = 1.0 if score is None else ramp(_skill(evidence), 0.1, 0.3)
    decided = 0.0 if _is_undecided(agreement) else 1.0
    strength = ramp(agreement.share, 0.04, 0.16) * ramp(beyond, 2.0, 4.0) * tells * decided
    if strength < 0.05:
        return Clear()
    shown = ", ".join(
        f"{row} (given {given}, rather {likelier})" for row, given, likelier in agreement.suspects[:_SHOWN]
    )
    facts = {
        "kind": Fact("disagree"),
        "share": Fact(agreement.share, "share", 0.04),
        "error": Fact(agreement.error if math.isfinite(agreement.error) else 0.0, "share"),
        "rows": Fact(float(agreement.rows), "rows"),
        "suspects": Fact(f" The most suspect rows: {shown}." if shown else ""),
    }
    return Found(min(1.0, strength), "", facts)


def _is_undecided(agreement: LabelAgreement) -> bool:
    """Where even the surest answers are wrong as often as right there is no region that could tell a wrong label: hard data
    look the same. Then only the course of training tells."""
    return agreement.sure < 0.53


def _skill(evidence: Evidence) -> float:
    """How much better than chance the network is, on whichever rows it is better on."""
    score = outcome(evidence)
    if score is None:
        return 0.0
    other = 1.0 - score.loss / score.chance_loss if score.chance_loss > 0 and math.isfinite(score.loss) else 0.0
    turn = 1.0 if score.higher_is_better else -1.0
    span = abs(score.chance) if score.metric != "accuracy" else 1.0 - score.chance
    by_score = turn * (score.score - score.chance) / span if span > 0 and math.isfinite(score.score) else 0.0
    return max(learnt(score), other, by_score)


def _by_curves(evidence: Evidence) -> Answer:
    """Training rows that stay harder than other rows, with nothing that makes them so."""
    curves = evidence.get(EpochCurves)
    assert curves is not None
    train, other = finite(curves.train_loss), finite(curves.stop_loss)
    if len(other) < 4 or len(train) < 4:
        return NotMeasured("LabelAgreement")
    modes = evidence.get(ModuleModes)
    if modes is None or modes.sensitive:
        return NotMeasured("LabelAgreement")  # dropout and batch statistics make training rows harder by themselves
    if modes.evaluated_in_training or evidence.get(LossCalls) is None or loss_floor(evidence) > 0:
        return NotMeasured("LabelAgreement")
    if not is_classes(evidence):
        return NotApplicable("the target is a number")
    score = outcome(evidence)
    if score is None or not score.chance_loss > 0:
        return NotApplicable("the outcome has no loss")
    chance = curve_chance(evidence, curves)
    at, harder = max((_harder(train, other, i) / chance, i) for i in range(2, min(len(train), len(other))))[::-1]
    now, others = train[at], other[at]
    skill = max(learnt(score), 1.0 - others / chance)
    error = score.loss_error if math.isfinite(score.loss_error) else 0.0
    beyond = ramp(harder * chance / max(error, 1e-12), 1.0, 2.5)
    strength = 0.75 * beyond * ramp(harder, 0.05, 0.12) * ramp(room(evidence), 0.1, 0.25) * ramp(skill, 0.2, 0.4)
    if strength < 0.05:
        return Clear()
    facts = {"kind": Fact("harder"), "train": Fact(now), "other": Fact(others), "epoch": Fact(at + 1.0)}
    return Found(strength, "", facts)


def _harder(train: Sequence[float], other: Sequence[float], at: int) -> float:
    """By how much training rows are harder than other rows at an epoch, the least of it and the two before. The loss of an
    epoch is a mean over its course, so it is held against the worse of the evaluations before and after."""
    return min(train[i] - max(other[i - 1], other[i]) for i in range(max(1, at - 2), at + 1))
