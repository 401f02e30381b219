"""Weaker augmentation.

Does: asks to halve the strength of the augmentation, or to leave out the part after which people cannot tell the label either.
Helps: augmented rows that no longer carry their label.
Misleads: a hard augmentation lowers the training score and may raise the other.
Source: Cubuk et al. 2020, arXiv:1909.13719, section 4: the best strength depends on network and data.
"""

from liebig.checks.bad_augmentation import BadAugmentation
from liebig.core.check import Finding
from liebig.remedies.told import Told, number


class WeakenAugmentation(Told):
    """Told with both scores."""

    name = "weaken-augmentation"
    answers = (BadAugmentation,)

    def advise(self, finding: Finding) -> str:
        clean, augmented = number(finding, "clean"), number(finding, "augmented")
        seen = (
            f" (training score {augmented:.3g} on augmented rows, {clean:.3g} on clean ones)"
            if clean and augmented
            else ""
        )
        return f"Halve the strength of the augmentation, and look at some augmented rows: could you still tell their label{seen}."
