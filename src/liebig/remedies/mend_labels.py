"""Mend the labels.

Does: names the training rows whose labels are most suspect, to be looked at first.
Helps: labels of which a part is wrong: no loss makes up for a mended label.
Misleads: rows that are merely hard are among the suspects: look before you change.
Source: Northcutt, Jiang & Chuang 2021, arXiv:1911.00068.
"""

from liebig.checks.label_noise import LabelNoise
from liebig.core.check import Finding
from liebig.remedies.told import Told, text


class MendLabels(Told):
    """Told with the rows."""

    name = "mend-labels"
    answers = (LabelNoise,)

    def advise(self, finding: Finding) -> str:
        suspects = text(finding, "suspects").strip().removeprefix("The most suspect rows: ").rstrip(".")
        which = f", first {suspects}" if suspects else ", first those whose loss stays high"
        return f"Look at the labels of the training rows that disagree most{which}."
