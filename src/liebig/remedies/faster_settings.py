"""The fastest settings of this machine.

Does: names the measured setting (precision, layout, compiled code) that made a step fastest here.
Helps: machines of which a part idles.
Misleads: another precision may cost score: measure both.
Source: measured on the machine itself.
"""

from liebig.checks.device_underused import DeviceUnderused
from liebig.core.check import Finding
from liebig.remedies.told import Told, number, text


class FasterSettings(Told):
    """Told with what was measured."""

    name = "faster-settings"
    answers = (DeviceUnderused,)

    def advise(self, finding: Finding) -> str:
        setting, times = text(finding, "setting") or "the fastest setting measured", number(finding, "times")
        gain = f": a step is {times:.2g} times as fast" if times else ""
        return f"Switch to {setting} on this machine{gain}."
