"""Horizon leak.

Means: A channel already tells a value that is still to be forecast: it was filled in afterwards, or moved by a step.
Measured: how well each channel's last step gives each value of the horizon by a straight line, beside how well the last known value
  does; a thousandth of its error is no forecast any more.
Misleads: a channel that is planned ahead (a calendar, an agreed price) may be known at the time; then it may stay.
Source: Kaufman, Rosset & Perlich 2012, "Leakage in data mining".
"""

from __future__ import annotations

from liebig.core.check import Answer, Check, Clear, Fact, Found, Stave, Telling
from liebig.core.evidence import Evidence, SequenceProfile


class HorizonLeak(Check):
    """The future stands in the past."""

    name = "horizon-leak"
    stave = Stave.DATA
    needs = (SequenceProfile,)
    words = {
        "en": Telling(
            headline="The channel {place} tells what is to be forecast.",
            evidence="Its last step gives the value {step:.0f} steps ahead exactly: in use it will not be known by then.",
            advice="Leave the channel out, or move it so that each row holds what was known at its time.",
            short="a channel that tells the future",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        profile = evidence.get(SequenceProfile)
        assert profile is not None
        if not profile.leaking or not profile.leaking_step:
            return Clear()
        return Found(0.95, f'"{profile.leaking[0]}"', {"step": Fact(float(profile.leaking_step[0]), "step")})
