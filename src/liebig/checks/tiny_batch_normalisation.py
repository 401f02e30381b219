"""Tiny batch normalisation.

Means: Batch normalisation takes its mean and variance from a handful of rows: they are mostly noise, and what the network
  learns to read in training is not what it sees when it answers.
Measured: the number of rows in a batch where the network holds a batch normalisation, and an outcome that is poor (batch 2:
  0.80 where 0.97 is usual).
Misleads: with an outcome that is good already this stays silent; a batch of 16 and more is nearly always enough.
Source: Ioffe 2017, arXiv:1702.03275; Wu & He 2018, arXiv:1803.08494 (error against batch size).
"""

from __future__ import annotations

from liebig.checks.strength import disappoints, log_ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, NotMeasured, Stave, Telling
from liebig.core.evidence import Evidence, StepLosses, Structure


class TinyBatchNormalisation(Check):
    """Batch statistics of a few rows, and a poor outcome."""

    name = "tiny-batch-normalisation"
    stave = Stave.SCALE
    needs = (Structure, StepLosses)
    explains = frozenset(
        {
            "over-regularised",
            "underfitting",
            "still-improving",
            "oscillating-loss",
            "not-learning",
            "learning-rate-not-decayed",
            "learning-rate-too-high",
            "exploding-gradient",
        }
    )
    words = {
        "en": Telling(
            headline="Batch normalisation works on {batch:.0f} rows at a time.",
            evidence="Layer {place} takes its mean and variance from {batch:.0f} rows, so both are mostly noise (steady from about 16 rows on).",
            advice="Take larger batches, or layer or group normalisation, which do not look at the batch.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        structure, losses = evidence.get(Structure), evidence.get(StepLosses)
        assert structure is not None
        assert losses is not None
        normed = [layer.name for layer in structure.layers if layer.kind == "batch-norm"]
        if not normed:
            return NotApplicable("the network has no batch normalisation")
        if losses.batch < 1:
            return NotMeasured("the number of rows in a batch")
        strength = log_ramp(float(losses.batch), 16.0, 3.0) * disappoints(evidence)
        if strength < 0.05:
            return Clear()
        return Found(strength, normed[0], {"batch": Fact(float(losses.batch), "rows", 16.0)})
