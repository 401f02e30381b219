"""Mend the pictures.

Does: names what is wrong with pictures before anything is learnt from them: scaled once too often, read in another layout, showing
  nothing, or told apart without being looked at.
Helps: all that follows: no network makes up for pictures that do not show what they should.
Misleads: what is odd is not always wrong: look before you change.
Source: Geirhos et al. 2020, "Shortcut learning in deep neural networks", Nature Machine Intelligence 2.
"""

from liebig.checks.faint_pictures import FaintPictures
from liebig.checks.odd_pictures import OddPictures
from liebig.checks.picture_shortcut import PictureShortcut
from liebig.checks.wrong_layout import WrongLayout
from liebig.core.check import Finding
from liebig.remedies.told import Told


class MendPictures(Told):
    """Told in the words of the finding."""

    name = "mend-pictures"
    answers = (FaintPictures, WrongLayout, OddPictures, PictureShortcut)

    def advise(self, finding: Finding) -> str:
        return finding.check.words["en"].advice
