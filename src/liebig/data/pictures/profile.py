"""What pictures show before anything is trained: odd ones, and what gives the label away without looking."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from liebig.core.arrays import Reals, Rows
from liebig.core.evidence import PictureProfile
from liebig.core.task import Task
from liebig.data.pictures.content import PictureData, Pixels
from liebig.data.pictures.duplicates import thumbnails
from liebig.data.table.single_score import ScoredTarget, bins_of_numbers, single_score

_PICTURES: Final = 5_000  # work pictures that are looked at, at most
_CHUNK: Final = 512
_ASKED: Final = 500  # pictures that say how they are laid out
_ONE_TONE: Final = 2.0  # spread of the tones in bytes
#: A picture is blurred whose sharpness lies so far below the others': so many robust deviations, and this factor.
_DEVIATIONS: Final = 3.5
_FACTOR: Final = 0.35
_ROBUST: Final = 1.4826  # of a median absolute deviation, for a normal distribution
_TOLD: Final = 50
_SIDE: Final = 6  # of the tiny pictures that a plain model reads
_NAN: Final = float("nan")


def picture_profile(task: Task[PictureData], broken: int) -> PictureProfile:
    """The profile of the task's work pictures; `broken` could not be read."""
    rows = task.parts.work
    if len(rows) > _PICTURES:
        rows = np.sort(np.random.default_rng([task.seed, 0x91C7]).choice(rows, _PICTURES, replace=False))
    pixels = task.data.pixels[rows]
    contrast, sharpness = tones(pixels)
    constant = contrast < _ONE_TONE
    blurred = _blurred(sharpness, ~constant)
    names = [task.data.names[row] for row in rows]
    told = shortcuts(task, rows, pixels, contrast)
    scored = ScoredTarget(task.target[rows], task.kind, len(task.classes), task.seed)
    reread, reading = _reread(pixels)
    low, high = _tones_of_all(pixels)
    scores = [single_score(bins_of_numbers(values), scored) for values in told.values()]
    return PictureProfile(
        pictures=len(rows), broken=broken, constant=_some(names, constant), blurred=_some(names, blurred),
        shortcuts=tuple(told), shortcut_scores=tuple(scores), whole_score=_whole(task, rows, pixels),
        low_tone=low, high_tone=high, roughness=_roughness(pixels), roughness_reread=reread, reread_as=reading,
    )  # fmt: skip


def _some(names: list[str], which: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(names[i] for i in np.flatnonzero(which)[:_TOLD])


def tones(pixels: Pixels) -> tuple[Reals, Reals]:
    """For each picture [n] the spread of its tones, and its sharpness: the root mean square of the Laplacian beside that spread."""
    contrast, sharpness = [], []
    for start in range(0, len(pixels), _CHUNK):
        grey = pixels[start : start + _CHUNK].mean(axis=3, dtype=np.float32)
        if min(grey.shape[1:]) < 3:  # no place has neighbours on all sides
            contrast.append(grey.std(axis=(1, 2)))
            sharpness.append(np.zeros(len(grey), np.float32))
            continue
        inner = grey[:, 1:-1, 1:-1]
        around = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
        spread = grey.std(axis=(1, 2))
        contrast.append(spread)
        sharpness.append(np.sqrt(np.square(around - 4 * inner).mean(axis=(1, 2))) / np.maximum(spread, _ONE_TONE))
    return np.concatenate(contrast).astype(np.float64), np.concatenate(sharpness).astype(np.float64)


def _tones_of_all(pixels: Pixels) -> tuple[float, float]:
    """The lowest and the highest tone, but for a thousandth at either end."""
    shares = np.cumsum(np.bincount(pixels[:_ASKED].ravel(), minlength=256)) / max(pixels[:_ASKED].size, 1)
    return float(np.searchsorted(shares, 0.001)), float(np.searchsorted(shares, 0.999))


def _roughness(pixels: Pixels) -> float:
    """Root mean square of the differences of neighbouring places beside the spread of all, the median over pictures: 0 for one
    tone, about 1.4 for noise. NaN where there is nothing to be asked."""
    some = pixels[:_ASKED].astype(np.float32)
    if min(some.shape[1:3]) < 2:
        return _NAN
    across = np.square(np.diff(some, axis=2)).mean(axis=(1, 2, 3))
    down = np.square(np.diff(some, axis=1)).mean(axis=(1, 2, 3))
    spread = some.std(axis=(1, 2)).mean(axis=1)
    shows = spread > _ONE_TONE
    if not shows.any():
        return _NAN
    return float(np.median(np.sqrt((across[shows] + down[shows]) / 2) / spread[shows]))


def _reread(pixels: Pixels) -> tuple[float, str]:
    """The least roughness under other readings of the same numbers, and which reading that is."""
    some = pixels[:_ASKED]
    count, height, width, channels = some.shape
    readings: dict[str, Pixels] = {}
    if channels > 1:
        whole = some.reshape(count, channels, height, width)
        readings["channels, height, width"] = whole.transpose(0, 2, 3, 1)
    if height != width:
        readings["width before height"] = some.reshape(count, width, height, channels)
    told = {name: _roughness(each) for name, each in readings.items()}
    fine = {name: value for name, value in told.items() if np.isfinite(value)}
    if not fine:
        return _NAN, ""
    name = min(fine, key=lambda each: fine[each])
    return fine[name], name


def _blurred(sharpness: Reals, shows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pictures far less sharp than the others, in logarithms: [n]."""
    logarithm = np.log(np.maximum(sharpness, 1e-6))
    if shows.sum() < 10:
        return np.zeros(len(sharpness), dtype=bool)
    middle = float(np.median(logarithm[shows]))
    deviation = _ROBUST * float(np.median(np.abs(logarithm[shows] - middle)))
    limit = min(middle - _DEVIATIONS * deviation, middle + np.log(_FACTOR))
    return np.asarray(shows & (logarithm < limit))


def shortcuts(task: Task[PictureData], rows: Rows, pixels: Pixels, contrast: Reals) -> dict[str, Reals]:
    """What can be told of each picture without looking at what it shows, [n] each, by name; numbers that never vary are left
    out."""
    sizes = task.data.sizes[rows].astype(np.float64)
    edge = np.concatenate(
        [pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]], axis=1, dtype=np.float32
    )  # the outermost places, [n, places, channels]
    told = {
        "width": sizes[:, 0],
        "height": sizes[:, 1],
        "shape": sizes[:, 0] / np.maximum(sizes[:, 1], 1),
        "brightness": pixels.mean(axis=(1, 2, 3), dtype=np.float64),
        "contrast": contrast,
        "border": edge.mean(axis=(1, 2), dtype=np.float64),
        "border's evenness": edge.std(axis=1).mean(axis=1, dtype=np.float64),
    }
    return {name: values for name, values in told.items() if values.min() < values.max()}


def _whole(task: Task[PictureData], rows: Rows, pixels: Pixels) -> float:
    """How well a plain model of a tiny picture tells the class, out of sample, between 0 (chance) and 1; NaN for numbers."""
    if not task.kind.is_classification:
        return _NAN
    target = task.target[rows].astype(np.int64)
    values = thumbnails(pixels, _SIDE, _SIDE).reshape(len(rows), -1) / 128.0 - 1.0
    second = np.random.default_rng([task.seed, 0x3A1F]).permutation(len(rows)) % 2 == 1
    if len(np.unique(target[~second])) < 2 or not second.any():
        return _NAN
    model = LogisticRegression(C=0.1, max_iter=30, tol=1e-2)
    right = float((model.fit(values[~second], target[~second]).predict(values[second]) == target[second]).mean())
    chance = float(np.bincount(target[second]).max() / second.sum())
    return max(0.0, (right - chance) / (1.0 - chance)) if chance < 1.0 else _NAN
