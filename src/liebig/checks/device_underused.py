"""The machine could be faster.

Means: The same training would take less time here with other settings: precision, memory layout, compilation, batch size, threads.
Measured: seconds of a step of this network on this batch as it is, and with each setting, in pairs on this machine.
Misleads: time is not the score: a lower precision must be seen to do no harm, and a larger batch needs another rate. So only
  float64 where float32 is faster is a warning; other formats and layouts are an offer, told as a hint.
Source: measured on the machine itself; PyTorch performance tuning guide.
"""

from __future__ import annotations

import math

from liebig.checks.numbers import ramp, scaled_to_hint
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import WIDE_NUMBERS, Evidence, FasterSettings


class DeviceUnderused(Check):
    """A setting that is measured to be much faster here."""

    name = "device-underused"
    stave = Stave.MACHINE
    needs = (FasterSettings,)
    explains = frozenset()
    words = {
        "en": Telling(
            headline="This machine could train the network {times:.1f} times as fast.",
            evidence="A step takes {now:.3g} ms, and {then:.3g} ms with {setting}.",
            advice="Switch it on ({setting}), and see that the score stays the same.",
            short="the unused speed of the machine",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        settings = evidence.get(FasterSettings)
        assert settings is not None
        tried = [
            (seconds, name)
            for seconds, name in zip(settings.with_setting, settings.names, strict=False)
            if math.isfinite(seconds) and seconds > 0
        ]
        if not tried or not settings.seconds > 0 or not math.isfinite(settings.seconds):
            return NotApplicable("no setting was tried")
        best, name = min(tried)
        times = settings.seconds / best
        # Less than double is worth a try; a step of a fraction of a millisecond is made of launches, not of arithmetic.
        strength = scaled_to_hint(0.6 * ramp(times, 1.15, 2.0))
        if name == WIDE_NUMBERS:
            # Twice the bits on every number is a mistake; a layout or a format that nobody takes by default is an offer.
            strength = max(strength, 0.9 * ramp(times, 1.3, 2.5))
        strength *= ramp(settings.seconds, 2e-4, 2e-3)
        if strength < 0.05:
            return Clear()
        facts = {
            "times": Fact(times, "ratio", 1.15),
            "now": Fact(1e3 * settings.seconds, "ms"),
            "then": Fact(1e3 * best, "ms"),
            "setting": Fact(name),
        }
        return Found(strength, "", facts)
