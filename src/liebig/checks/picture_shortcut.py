"""Shortcut in pictures.

Means: The label follows from something beside what the pictures show: their size, their brightness, the colour of their border.
Measured: how well the label follows from each such number alone, out of sample; and beside the tones of the whole picture.
Misleads: some labels are a tone (day and night, ripe and unripe): then it is no shortcut but the answer.
Source: Geirhos et al. 2020, "Shortcut learning in deep neural networks", Nature Machine Intelligence 2.
"""

from __future__ import annotations

import math

from liebig.checks.numbers import ramp, scaled_to_hint
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotMeasured, Stave, Telling
from liebig.core.evidence import Evidence, PictureProfile

#: Tones are also what pictures show; sizes and formats never are.
_OF_TONES = frozenset({"brightness", "contrast"})


class PictureShortcut(Check):
    """Classes that are told apart without looking."""

    name = "picture-shortcut"
    stave = Stave.DATA
    needs = (PictureProfile,)
    words = {
        "en": Telling(
            headline="The label follows from {place} of a picture.",
            evidence="{place} alone scores {single:.2f} of 1 on pictures it was not fitted on: a network may learn that, and nothing of what the pictures show.",
            advice="Ask where that comes from (another camera, another source for each class); crop, scale or pad all classes alike, or collect the classes alike.",
            short="what gives the label away",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        profile = evidence.get(PictureProfile)
        if profile is None:
            return NotMeasured("PictureProfile")
        pairs = [
            (score, name)
            for name, score in zip(profile.shortcuts, profile.shortcut_scores, strict=True)
            if math.isfinite(score)
        ]
        if not pairs:
            return Clear()
        found = [(_strength(score, name), score, name) for score, name in pairs]
        strength, score, name = max(found)
        if strength < 0.05:
            return Clear()
        return Found(strength, f"the {name}", {"single": Fact(score, "", 0.4), "whole": Fact(profile.whole_score)})


def _strength(score: float, name: str) -> float:
    strength = 0.9 * ramp(score, 0.25, 0.9)
    return scaled_to_hint(strength) if name in _OF_TONES else strength
