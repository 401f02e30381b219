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

from liebig.checks.strength import learnt, log_ramp, ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, FinalScore, Structure


class Underfitting(Check):
    """Poor on training rows, with no gap."""

    name = "underfitting"
    stave = Stave.CAPACITY
    needs = (FinalScore,)
    explains = frozenset()
    words = {
        "en": Telling(
            headline="The network underfits.",
            evidence="It learnt {learnt:.0%} of the loss on its own training rows, and does about as well on others (gap {gap:.1%}). The narrowest hidden layer has {width:.0f} units.",
            advice="Try wider or deeper, longer training, less regularisation, better inputs (piecewise-linear numbers, embeddings).",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        score = evidence.get(FinalScore)
        assert score is not None
        if not score.chance_loss > 0 or not math.isfinite(score.train_loss):
            return NotApplicable("the outcome has no loss")
        fitted = learnt(score)
        gap = (score.loss - score.train_loss) / score.chance_loss
        width = _narrowest(evidence.get(Structure))
        poor, closed = ramp(fitted, 0.9, 0.4), ramp(gap, 0.12, 0.03)
        narrow = log_ramp(width, 9.0, 3.0) if width == width else 0.0
        strength = poor * closed * (0.45 + 0.55 * narrow)
        if strength < 0.05:
            return Clear()
        return Found(
            strength, "", {"learnt": Fact(fitted, "share"), "gap": Fact(gap, "share"), "width": Fact(width, "units")}
        )


def _narrowest(structure: Structure | None) -> float:
    """Units of the narrowest hidden linear layer; NaN where there is none."""
    linear = [layer for layer in structure.layers if layer.kind.endswith("linear")] if structure else []
    return float(min((layer.outputs for layer in linear[:-1]), default=math.nan))
