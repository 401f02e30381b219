"""Does a mirror image show the same thing? Asked of the pictures themselves, before anything is trained.

Where mirror images of a class cannot be told from its pictures, training on them adds pictures that might as well have been
taken; where they can (digits, letters, arrows, left and right hands), they are another thing, or none. What tells a picture from
its mirror image is the part that changes sign, so a plain direction of that part, fitted on one half of a class's pictures, is
asked for the sign on the other half: 0.5 where nothing tells them apart, 1 where everything does.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from liebig.core.arrays import Reals, Rows
from liebig.core.task import Task
from liebig.data.pictures.content import PictureData
from liebig.data.pictures.duplicates import thumbnails

_PICTURES: Final = 4_000  # that are asked, at most
_SIDE: Final = 10  # of the tiny pictures that are compared
_FEWEST: Final = 16  # pictures of a class that can be asked in halves
_BINS: Final = 4  # of a number that is learnt, in place of classes
_RIDGE: Final = 0.1  # of the mean variance
#: A class is told from its mirror images from this share on; and so many of the pictures may be of such classes.
TOLD: Final = 0.7
_FEW: Final = 0.1


def mirrored_alike(task: Task[PictureData]) -> bool:
    """True where mirror images (left to right) look like the pictures to learn from, class by class. Where too few pictures can be
    asked the answer is False: nothing is assumed."""
    told, counts = told_from_mirrors(task)
    if not len(told):
        return False
    apart = told - 1.64 * 0.5 / np.sqrt(counts) > 0.5  # not by chance alone
    return bool(counts[apart & (told >= TOLD)].sum() <= _FEW * counts.sum())


def told_from_mirrors(task: Task[PictureData]) -> tuple[Reals, Reals]:
    """For each class (or quarter of the numbers) with enough pictures: the share of pictures that are told from their mirror
    images, out of sample, and how many were asked; [classes] each."""
    rows = task.parts.work
    if len(rows) > _PICTURES:
        rows = np.sort(np.random.default_rng([task.seed, 0x3177]).choice(rows, _PICTURES, replace=False))
    small = thumbnails(task.data.pixels[rows], _SIDE, _SIDE)
    changing = (small - small[:, :, ::-1])[:, :, : _SIDE // 2].reshape(len(rows), -1).astype(np.float64)
    told: list[float] = []
    counts: list[float] = []
    for own in _groups(task, rows):
        if len(own) < _FEWEST:
            continue
        own = np.random.default_rng([task.seed, len(told)]).permutation(own)
        first, second = changing[own[::2]], changing[own[1::2]]
        signs = np.concatenate([_signs(first, second), _signs(second, first)])
        told.append(float((signs > 0).mean() + 0.5 * (signs == 0).mean()))
        counts.append(float(len(own)))
    return np.array(told), np.array(counts)


def _groups(task: Task[PictureData], rows: Rows) -> list[Rows]:
    """Places in `rows` of each class, or of each quarter of the numbers."""
    target = task.target[rows]
    if task.kind.is_classification:
        return [np.flatnonzero(target == code) for code in range(len(task.classes))]
    return [each.astype(np.int64) for each in np.array_split(np.argsort(target, kind="stable"), _BINS)]


def _signs(fitted: Reals, asked: Reals) -> Reals:
    """On which side of what `fitted` tells each of `asked` lies: [n]."""
    covariance = fitted.T @ fitted / len(fitted)
    ridge = _RIDGE * max(float(np.trace(covariance)) / len(covariance), 1e-12)
    return np.asarray(asked @ np.linalg.solve(covariance + ridge * np.eye(len(covariance)), fitted.mean(0)))
