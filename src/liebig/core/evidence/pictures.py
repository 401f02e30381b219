"""What pictures show: of themselves, and of a network that answers for them."""

from __future__ import annotations

from dataclasses import dataclass

from liebig.core.evidence.bag import Measurement


@dataclass(frozen=True, slots=True)
class PictureProfile(Measurement):
    """The pictures to learn from, before anything is trained.

    `broken` could not be read. `constant` show one tone only, `blurred` are far less sharp than the others; both are names.
    `shortcuts` are what can be told of a picture without looking at what it shows ("width", "brightness", "the border", ...),
    `shortcut_scores` how well the label follows from each alone, out of sample, between 0 (chance) and 1 (perfect), and
    `whole_score` the same from all small tones of the picture, for comparison. `low_tone` and `high_tone` are the
    lowest and the highest but for a thousandth at either end. `roughness` is how much neighbouring places differ, in spreads of the tones; `roughness_reread` the
    same where they are read as `reread_as` says, the smoothest other way (NaN where there is none).
    """

    pictures: int
    broken: int
    constant: tuple[str, ...]
    blurred: tuple[str, ...]
    shortcuts: tuple[str, ...]
    shortcut_scores: tuple[float, ...]
    whole_score: float
    low_tone: float
    high_tone: float
    roughness: float
    roughness_reread: float
    reread_as: str


@dataclass(frozen=True, slots=True)
class WorstPictures(Measurement):
    """Pictures of a select part with the largest loss: name, truth, answer, loss, and the picture as PNG in base64."""

    names: tuple[str, ...]
    truth: tuple[str, ...]
    answer: tuple[str, ...]
    loss: tuple[float, ...]
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuspectLabels(Measurement):
    """Pictures whose label is contradicted by a network that has not learnt it, the most sure first: name, label, what they
    rather show, how much more probable that is (0 to 1), and the picture as PNG in base64. `asked` is how many were asked;
    `agreed` the share of those answered at least as surely whose label is what was answered: what a doubt is worth."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    rather: tuple[str, ...]
    margins: tuple[float, ...]
    pictures: tuple[str, ...]
    asked: int
    agreed: float


@dataclass(frozen=True, slots=True)
class NearDuplicates(Measurement):
    """Groups of pictures that are the same, or nearly: for each picture of a group its name, its label, whether it stands in the
    test part, and the picture as PNG in base64. `groups` is how many groups there are in all, `contradicting` how many of them
    have pictures with different labels; those stand first."""

    names: tuple[tuple[str, ...], ...]
    labels: tuple[tuple[str, ...], ...]
    tested: tuple[tuple[bool, ...], ...]
    pictures: tuple[tuple[str, ...], ...]
    groups: int
    contradicting: int


@dataclass(frozen=True, slots=True)
class Confusion(Measurement):
    """How often a class (row) was answered as which (column), on a select part."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class AugmentedPictures(Measurement):
    """What augmentation does: pictures as they are, and each several times as it is trained on, as PNG in base64."""

    names: tuple[str, ...]
    plain: tuple[str, ...]
    changed: tuple[tuple[str, ...], ...]
