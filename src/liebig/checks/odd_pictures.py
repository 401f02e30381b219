"""Odd pictures.

Means: Some pictures show nothing: they cannot be read, have one tone only, or are far more blurred than the others.
Measured: files that no decoder reads; the spread of a picture's tones; differences between neighbouring places beside the
  picture's contrast, against those of the other pictures.
Misleads: a blurred background is no fault; small pictures that were enlarged are blurred, and may be all there is.
Source: Pertuz, Puig & Garcia 2013, "Analysis of focus measure operators", Pattern Recognition 46 (Laplacian).
"""

from __future__ import annotations

from liebig.checks.numbers import ramp, scaled_to_hint
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotMeasured, Stave, Telling
from liebig.core.evidence import Evidence, PictureProfile


class OddPictures(Check):
    """Pictures that show nothing."""

    name = "odd-pictures"
    stave = Stave.DATA
    needs = (PictureProfile,)
    words = {
        "en": Telling(
            headline="Some pictures show little or nothing.",
            evidence="Of {pictures:,.0f} pictures {constant:,.0f} have one tone only, {blurred:,.0f} are far more blurred than the others, and {broken:,.0f} more could not be read; the first is {place}.",
            advice="Look at them, and leave out what a person could not tell either.",
            short="the pictures that show nothing",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        profile = evidence.get(PictureProfile)
        if profile is None:
            return NotMeasured("PictureProfile")
        odd = (*profile.constant, *profile.blurred)
        count = len(odd) + profile.broken
        if not count or not profile.pictures:
            return Clear()
        # One tone says nothing at all; what is blurred often still shows what it is of.
        share = (len(profile.constant) + profile.broken + 0.5 * len(profile.blurred)) / (
            profile.pictures + profile.broken
        )
        strength = max(ramp(share, 0.0, 0.2), 0.1 if profile.constant or profile.broken else 0.0)
        if strength < 0.05:
            return Clear()
        facts = {
            "pictures": Fact(float(profile.pictures), "pictures"),
            "constant": Fact(float(len(profile.constant)), "pictures"),
            "blurred": Fact(float(len(profile.blurred)), "pictures"),
            "broken": Fact(float(profile.broken), "pictures"),
        }
        return Found(scaled_to_hint(strength), odd[0] if odd else "one that could not be read", facts)
