"""Tiny batch normalisation.

Means: Batch normalisation takes its mean and variance from a handful of rows: they are mostly noise, and what the network
  learns to read in training is not what it sees when it answers.
Measured: the number of rows in a batch where the network holds a batch normalisation, and an outcome that is poor (batch 2:
  0.80 where 0.97 is usual).
Misleads: with an outcome that is good already this stays silent; a batch of 16 and more is nearly always enough, and where it is
  taken over the places of an image as well, 4.
Source: Ioffe 2017, arXiv:1702.03275; Wu & He 2018, arXiv:1803.08494 (error against batch size).
"""

from __future__ import annotations

import math

from liebig.checks.numbers import log_ramp, ramp
from liebig.checks.outcome import outcome
from liebig.checks.strength import disappoints
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, NotMeasured, Stave, Telling
from liebig.core.evidence import Evidence, StepLosses, Structure


class TinyBatchNormalisation(Check):
    """Batch statistics of a few rows, and a poor outcome."""

    name = "tiny-batch-normalisation"
    stave = Stave.SCALE
    needs = (Structure, StepLosses)
    explains = POOR_RESULT | {
        "over-regularised",
        "oscillating-loss",
        "learning-rate-too-high",
        "exploding-gradient",
        "shifting-activations",
        "overfitting",
        "label-noise",
        "batch-size",
    }
    words = {
        "en": Telling(
            headline="Batch normalisation works on {batch:.0f} rows at a time.",
            evidence='Layer "{place}" takes its mean and variance from {batch:.0f} rows, so both are mostly noise (steady from about {enough:.0f} rows on).',
            advice="Take larger batches, or layer or group normalisation, which do not look at the batch. Accumulating gradients does not help here.",
            short="batch normalisation over {batch:.0f} rows",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        structure, losses = evidence.get(Structure), evidence.get(StepLosses)
        assert structure is not None
        assert losses is not None
        normed = [layer for layer in structure.layers if layer.kind in {"batch-norm", "batch-norm-2d"}]
        if not normed:
            return NotApplicable("the network has no batch normalisation")
        if losses.batch < 1:
            return NotMeasured("the number of rows in a batch")
        enough = 16.0 if any(layer.kind == "batch-norm" for layer in normed) else 4.0
        strength = log_ramp(float(losses.batch), enough, enough / 5.3) * max(disappoints(evidence), _missed(evidence))
        if strength < 0.05:
            return Clear()
        facts = {
            "batch": Fact(float(losses.batch), "rows", enough),
            "enough": Fact(enough, "rows"),
            "since": Fact(0.0, "step"),
        }
        return Found(strength, normed[0].name, facts)


def _missed(evidence: Evidence) -> float:
    """How poor the score on other rows is: running statistics are what fails there, when the training loss may be low."""
    score = outcome(evidence)
    if score is None or not score.chance_loss > 0 or not math.isfinite(score.loss):
        return 0.0
    return ramp(score.loss / score.chance_loss, 0.15, 0.4)
