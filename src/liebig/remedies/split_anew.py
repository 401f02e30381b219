"""Split anew.

Does: asks for parts that have no row in common and were drawn alike: by group, by time, or at random before anything was copied.
Helps: validation scores that promise what new data will not keep.
Misleads: where tomorrow differs from today a split by time is right, though the parts differ.
Source: Kaufman, Rosset & Perlich 2011, Leakage in data mining, KDD.
"""

from liebig.checks.leakage import Leakage
from liebig.checks.shifted_parts import ShiftedParts
from liebig.core.check import Finding
from liebig.remedies.told import Told, number


class SplitAnew(Told):
    """Told with the share of rows that both parts hold."""

    name = "split-anew"
    answers = (
        Leakage,
        ShiftedParts,
    )

    def advise(self, finding: Finding) -> str:
        shared = number(finding, "shared")
        if isinstance(finding.check, Leakage) and shared:
            return f"Split anew so that no row stands in both parts ({shared:.0%} of those evaluated were trained on), copies and groups kept together."
        return "Draw the parts alike: shuffle before splitting, keep groups together, and prepare both parts in the same way."
