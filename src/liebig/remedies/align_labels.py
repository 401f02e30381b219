"""Bring inputs and labels together again.

Does: asks to look at the path on which inputs and labels are paired: sorted, shuffled or filtered one without the other.
Helps: training rows that are learnt by heart while new ones are answered no better than by chance.
Misleads: labels that no input predicts look the same.
Source: Zhang et al. 2017, arXiv:1611.03530: networks learn random labels by heart.
"""

from liebig.checks.misaligned_labels import MisalignedLabels
from liebig.core.check import Finding
from liebig.remedies.told import Told, at


class AlignLabels(Told):
    """Told; nothing in a recipe can know which row belongs to which label."""

    name = "align-labels"
    answers = (MisalignedLabels,)

    def advise(self, finding: Finding) -> str:
        return f"Look at a few rows with their labels where they are paired{at(finding)}: one of the two was sorted, shuffled or filtered alone."
