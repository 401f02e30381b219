"""Small generated pictures: bright or dark bars, upright or lying."""

import numpy as np
from PIL import Image


def bars(count, side=12, channels=3, seed=0, classes=2):
    """Pixels uint8 [count, side, side, channels] and labels: bars that stand, lie, or (of three classes) cross."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    pixels = rng.integers(0, 60, size=(count, side, side, channels))
    for i, label in enumerate(labels):
        place, tone = rng.integers(2, side - 3), rng.integers(140, 220)
        if label in {0, 2}:
            pixels[i, :, place : place + 2] += tone
        if label in {1, 2}:
            pixels[i, place : place + 2, :] += tone
    return np.clip(pixels, 0, 255).astype(np.uint8), labels.astype(np.int64)


def folder(path, count=24, side=12, classes=("lying", "upright"), ending="png", seed=0):
    """A folder with one folder for each class."""
    pixels, labels = bars(count, side, seed=seed)
    for i, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
        place = path / classes[1 - label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place / f"{i:03d}.{ending}")
    return path
