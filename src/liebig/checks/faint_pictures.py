"""Faint pictures.

Means: All pictures are nearly of one tone: they were scaled once too often (divided by 255 twice, say), and rounding took what they
  showed.
Measured: the range that all but a thousandth of the pictures' values at either end span, of the 255 that bytes have.
Misleads: some pictures are faint by nature (X-rays before they are stretched); if sixteen tones tell them apart it does no harm.
Source: the ranges that learning frameworks expect of bytes and of shares of one.
"""

from __future__ import annotations

from liebig.checks.numbers import ramp
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotMeasured, Stave, Telling
from liebig.core.evidence import Evidence, PictureProfile

#: Tones of 255: from the first on pictures are fine, at the second nothing is left of them.
_FINE, _NOTHING = 40.0, 2.0


class FaintPictures(Check):
    """Pictures whose values span next to nothing."""

    name = "faint-pictures"
    stave = Stave.SCALE
    needs = (PictureProfile,)
    explains = POOR_RESULT
    words = {
        "en": Telling(
            headline="The pictures are faint: their values span {range:.0f} of 255 tones.",
            evidence="All but a thousandth of the values lie between {low:.0f} and {high:.0f}.",
            advice="Look where they are scaled: bytes from 0 to 255, or shares from 0 to 1, once; not divided by 255 twice.",
            short="pictures scaled once too often",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        profile = evidence.get(PictureProfile)
        if profile is None:
            return NotMeasured("PictureProfile")
        low, high = profile.low_tone, profile.high_tone
        strength = 1.0 - ramp(high - low, _NOTHING, _FINE)
        if strength < 0.05 or not profile.pictures:
            return Clear()
        facts = {"range": Fact(high - low, "tones", _FINE), "low": Fact(low, "tones"), "high": Fact(high, "tones")}
        return Found(strength, "all pictures", facts)
