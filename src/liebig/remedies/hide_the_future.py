"""Hide the future.

Does: names the channel that tells what is to be forecast, and asks to leave it out or to move it.
Helps: forecasts that are perfect on paper and worthless in use.
Misleads: what is planned ahead and known at the time may stay.
Source: Kaufman, Rosset & Perlich 2012, "Leakage in data mining".
"""

from liebig.checks.horizon_leak import HorizonLeak
from liebig.core.check import Finding
from liebig.remedies.told import Told


class HideTheFuture(Told):
    """Told with the channel."""

    name = "hide-the-future"
    answers = (HorizonLeak,)

    def advise(self, finding: Finding) -> str:
        return f"Leave the channel {finding.place} out, or move it so that each row holds what was known at its time."
