"""Whether mirror images look like the pictures themselves is told class by class."""

import numpy as np
import pytest

from liebig.data.pictures.first_recipes import starting
from liebig.data.pictures.mirrors import mirrored_alike, told_from_mirrors
from liebig.data.pictures.task import picture_task
from liebig.techniques.batches.random_flip import RandomFlip


def pictures(count=160, side=16, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 80, (count, side, side)), np.arange(count) % 2, rng


def task_of(pixels, labels):
    return picture_task((np.clip(pixels, 0, 255).astype(np.uint8), labels))


def test_spots_anywhere_are_mirrored():
    pixels, labels, rng = pictures()
    for i, label in enumerate(labels):
        x, y = rng.integers(2, 12, 2)
        pixels[i, y : y + 3, x : x + 3] += 150 if label else 60
    found = task_of(pixels, labels)
    assert mirrored_alike(found.task)
    recipe = starting(found)
    assert recipe.technique(RandomFlip) is not None
    assert recipe.network.mirrored


def test_arrows_to_the_left_and_to_the_right_are_not():
    """Over all classes mirror images look the same: only within a class they do not."""
    pixels, labels, _ = pictures()
    for i, label in enumerate(labels):
        for k in range(6):
            x = 4 + k if label else 11 - k
            pixels[i, 8 - k : 9 + k, x] += 120
    found = task_of(pixels, labels)
    assert not mirrored_alike(found.task)
    assert starting(found).technique(RandomFlip) is None


def test_one_class_of_many_may_look_to_one_side():
    pixels, labels, rng = pictures(2400)
    labels = np.arange(2400) % 20
    for i, label in enumerate(labels):
        x = rng.integers(2, 12)
        pixels[i, :, 2 if label == 0 else x] += 100
    told, _ = told_from_mirrors(task_of(pixels, labels).task)
    assert told[0] > 0.9
    assert np.median(told) < 0.7
    assert mirrored_alike(task_of(pixels, labels).task)


@pytest.mark.parametrize("count", [24])
def test_of_too_few_pictures_nothing_is_assumed(count):
    pixels, labels, _ = pictures(count)
    assert not mirrored_alike(task_of(pixels, labels).task)


def test_quarters_of_numbers_are_asked():
    pixels, _, rng = pictures(200)
    values = rng.uniform(0, 1, 200)
    for i, value in enumerate(values):
        pixels[i, :, int(value * 15)] += 120
    assert not mirrored_alike(picture_task((pixels.astype(np.uint8), values)).task)
