"""Shifted parts.

Means: The rows to be judged come from elsewhere than those trained on.
Measured: ROC AUC of a classifier that tells the two parts apart (0.5: it cannot).
Misleads: an identifier or a date tells parts apart without any harm.
Source: Rabanser, Günnemann & Lipton 2019, arXiv:1810.11953.
"""

from __future__ import annotations

from liebig.checks.strength import ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotMeasured, Stave, Telling
from liebig.core.evidence import DataProfile, Evidence


class ShiftedParts(Check):
    """A classifier tells training from test rows."""

    name = "shifted-parts"
    stave = Stave.DATA
    needs = (DataProfile,)
    explains = frozenset()
    words = {
        "en": Telling(
            headline="The test set differs from the training rows.",
            evidence="A classifier tells them apart with a ROC AUC of {auc:.2f} (the same: 0.50).",
            advice="Look at what differs; weight the rows, or judge on rows like those that will come.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        profile = evidence.get(DataProfile)
        assert profile is not None
        if profile.shift_auc != profile.shift_auc:
            return NotMeasured("a test set of the user's own")
        strength = ramp(profile.shift_auc, 0.56, 0.85)
        if strength < 0.05:
            return Clear()
        return Found(strength, "", {"auc": Fact(profile.shift_auc, "", 0.56)})
