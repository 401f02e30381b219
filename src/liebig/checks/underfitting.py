"""Underfitting.

Means: Both parts are poor alike and the gradients are healthy: the network, its inputs or its training cannot express what
  is there.
Measured: the share of the loss that was learnt on the training rows; a small gap between training and selection; layers too
  narrow for their inputs.
Misleads: a target that is mostly noise looks the same: without a narrow layer this stays a hint, and only trying a larger
  network tells.
Source: Goodfellow, Bengio & Courville 2016, section 5.2.
"""

from __future__ import annotations

import math

from liebig.checks.numbers import ramp
from liebig.checks.outcome import outcome
from liebig.checks.strength import learnt, narrow, narrowest, room
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, NotMeasured, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence, FinalScore, OneBatch, StepLosses


class Underfitting(Check):
    """Poor on training rows, with no gap."""

    name = "underfitting"
    stave = Stave.CAPACITY
    needs = ((FinalScore, EpochCurves, StepLosses),)
    explains = frozenset()
    words = {
        "en": Telling(
            headline="The network underfits.",
            evidence="It learnt {learnt:.0%} of the loss on its own training rows{others}.{narrow}{batch}",
            advice="Try wider or deeper, longer training, less regularisation, better inputs (piecewise-linear numbers, embeddings).",
            short="the poor fit",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        score = outcome(evidence)
        if score is None:
            return NotMeasured("FinalScore")
        if not score.chance_loss > 0 or not math.isfinite(score.train_loss):
            return NotApplicable("the outcome has no loss")
        left = room(evidence)
        fitted = learnt(score) if left != left else 1.0 - left
        known = math.isfinite(score.loss)
        gap = (score.loss - score.train_loss) / score.chance_loss if known else 0.0
        width = narrowest(evidence)
        poor, closed = ramp(fitted, 0.9, 0.4), ramp(gap, 0.12, 0.03)
        strength = poor * closed * (0.45 + 0.55 * narrow(evidence))
        if strength < 0.05:
            return Clear()
        facts = {
            "learnt": Fact(fitted, "share"),
            "gap": Fact(gap, "share"),
            "width": Fact(width, "units"),
            "others": Fact(f", and does about as well on others (gap {gap:.1%})" if known else ""),
            "narrow": Fact(f" The narrowest hidden layer has {width:.0f} units." if width == width else ""),
            "batch": Fact(_one_batch(evidence.get(OneBatch))),
        }
        return Found(strength, "", facts)


def _one_batch(batch: OneBatch | None) -> str:
    """Whether the network can learn a few rows by heart; nothing where that was not tried."""
    if batch is None or not batch.chance_loss > 0 or not math.isfinite(batch.last_loss):
        return ""
    left = batch.last_loss / batch.chance_loss
    if left > 0.5:
        return f" Even {batch.rows} rows alone it cannot learn by heart: {left:.0%} of the loss stays."
    return f" {batch.rows} rows alone it can learn by heart." if left < 0.1 else ""
