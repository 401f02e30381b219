"""Wrong layout.

Means: Rows, columns and colours of the pictures were taken for one another: an array of [channels, height, width] that was reshaped to
  [height, width, channels], say, in place of being transposed. What is seen is noise, though all numbers are right.
Measured: how much neighbouring places differ, beside the spread of the tones, as the pictures are read, and as they would be read with
  the channels before height and width, or with height and width exchanged.
Misleads: pictures of noise or of fine textures have rough neighbours either way; then neither reading is better, and nothing is said.
Source: neighbouring pixels of natural pictures correlate at about 0.9 (Field 1987, J. Opt. Soc. Am. A 4).
"""

from __future__ import annotations

import math

from liebig.checks.numbers import ramp
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, NotMeasured, Stave, Telling
from liebig.core.evidence import Evidence, PictureProfile


class WrongLayout(Check):
    """Pictures that are smooth only when they are read another way."""

    name = "wrong-layout"
    stave = Stave.DATA
    needs = (PictureProfile,)
    explains = POOR_RESULT
    words = {
        "en": Telling(
            headline="The pictures look as if their layout were another: {place}.",
            evidence="Neighbouring places differ by {roughness:.2f} spreads as the pictures are read, and by {reread:.2f} read as {place}.",
            advice="Transpose in place of reshaping: numpy.transpose(x, (0, 2, 3, 1)) moves the channels of [n, channels, height, width] last.",
            short="rows, columns and colours taken for one another",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        profile = evidence.get(PictureProfile)
        if profile is None:
            return NotMeasured("PictureProfile")
        if not math.isfinite(profile.roughness) or not math.isfinite(profile.roughness_reread):
            return NotApplicable("there is one way only in which these pictures can be read")
        if profile.roughness <= 0 or profile.roughness_reread <= 0:
            return Clear()
        times = profile.roughness / profile.roughness_reread
        # A picture read wrongly is about as rough as noise; one that is not is fine as it is.
        strength = ramp(times, 1.3, 2.5) * ramp(profile.roughness, 0.4, 0.7)
        if strength < 0.05:
            return Clear()
        facts = {"roughness": Fact(profile.roughness, "spreads"), "reread": Fact(profile.roughness_reread, "spreads")}
        return Found(strength, profile.reread_as, facts)
