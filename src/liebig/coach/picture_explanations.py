"""What the report shows of pictures: those answered worst, what is taken for what, what augmentation does."""

from __future__ import annotations

import base64
import io
from typing import Any, Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from liebig.core.arrays import Predictions, Rows
from liebig.core.evidence import AugmentedPictures, Confusion, WorstPictures
from liebig.core.metric import example_log_loss, predicted_classes
from liebig.core.recipe import Recipe
from liebig.core.task import Task
from liebig.data.pictures.content import PictureData, Pixels
from liebig.data.pictures.feed import PictureEncoder, feed, fit_encoder
from liebig.data.pictures.inputs import PictureInputs
from liebig.stack.draws import Draws, member_seed
from liebig.techniques.batches import FOR_PICTURES
from liebig.techniques.stage import Ground, Technique

_WORST: Final = 24
_SHOWN: Final = 4
_TIMES: Final = 6
#: Larger tables are not read any more.
_MOST_CLASSES: Final = 30
_LARGEST: Final = 96  # pixels of a picture in the report
_FITTED: Final = 1000


def worst_pictures(task: Task[PictureData], rows: Rows, predictions: Predictions) -> WorstPictures:
    """The pictures of `rows` (int64 [n]) with the largest loss, which the network that gave `predictions` has not learnt from."""
    target = task.target[rows]
    if task.kind.is_classification:
        losses = example_log_loss(target, predictions)
        codes = predicted_classes(predictions)
        share = predictions if predictions.ndim == 2 else np.stack([1 - predictions, predictions], axis=1)
        said = [f"{task.classes[code]} ({share[i, code]:.0%})" for i, code in enumerate(codes)]
        truth = [task.classes[int(each)] for each in target]
    else:
        losses = np.abs(target - predictions)
        said, truth = [f"{each:.4g}" for each in predictions], [f"{each:.4g}" for each in target]
    worst = np.argsort(-losses, kind="stable")[:_WORST]
    return WorstPictures(
        tuple(task.data.names[rows[i]] for i in worst), tuple(truth[i] for i in worst), tuple(said[i] for i in worst),
        tuple(float(losses[i]) for i in worst), tuple(as_png(task.data.pixels[rows[i]]) for i in worst),
    )  # fmt: skip


def confusion(task: Task[Any], rows: Rows, predictions: Predictions) -> Confusion | None:
    """How often each class was answered as which; None for numbers, and for more classes than a table shows."""
    count = len(task.classes)
    if not task.kind.is_classification or count > _MOST_CLASSES:
        return None
    table = np.zeros((count, count), dtype=np.int64)
    np.add.at(table, (task.target[rows].astype(np.int64), predicted_classes(predictions)), 1)
    return Confusion(task.classes, tuple(tuple(int(each) for each in row) for row in table))


def augmented_pictures(task: Task[PictureData], recipe: Recipe, seed: int) -> AugmentedPictures | None:
    """Some pictures as they are and as `recipe` trains on them; None where it changes none."""
    techniques = [each for each in recipe.techniques if isinstance(each, FOR_PICTURES)]
    if not techniques or not isinstance(recipe.inputs, PictureInputs):
        return None
    work = task.parts.work
    rows = np.sort(np.random.default_rng([seed, 0xA06]).choice(work, min(_SHOWN, len(work)), replace=False))
    encoder = fit_encoder(task, recipe.inputs, work[:_FITTED])
    device = torch.device("cpu")
    found = feed(task, [encoder], device, torch.float32)
    ground = Ground((), task.outputs, task.kind.is_classification, len(work), 1, 1, (), device)
    changed: list[list[str]] = [[] for _ in rows]
    for step in range(_TIMES):
        batch = found.batch(torch.from_numpy(rows)[None])
        draws = Draws((member_seed(seed, 0xA06),), step, device)
        for technique in techniques:
            assert isinstance(technique, Technique)
            batch = type(technique).stage([technique], ground).on_batch(batch, draws)
        for place, picture in enumerate(batch.dense[0]):
            changed[place].append(as_png(_as_bytes(picture, encoder)))
    return AugmentedPictures(
        tuple(task.data.names[row] for row in rows), tuple(as_png(task.data.pixels[row]) for row in rows),
        tuple(tuple(each) for each in changed),
    )  # fmt: skip


def _as_bytes(picture: Tensor, encoder: PictureEncoder) -> Pixels:
    """What a network reads as a picture again: [height, width, channels] of [channels, height, width]."""
    factor, shift = (torch.tensor(each)[:, None, None] for each in (encoder.factor, encoder.shift))
    whole = ((picture - shift) / factor).round().clamp(0, 255).to(torch.uint8)
    return np.asarray(whole.permute(1, 2, 0).numpy())


def as_png(pixels: Pixels) -> str:
    """One picture [height, width, channels] as PNG in base64, no larger than the report shows it."""
    channels = pixels.shape[2]
    plain = pixels[:, :, 0] if channels in {1, 2} else pixels[:, :, :3]
    picture = Image.fromarray(np.ascontiguousarray(plain))
    if max(picture.size) > _LARGEST:
        picture.thumbnail((_LARGEST, _LARGEST))
    into = io.BytesIO()
    picture.save(into, "PNG")
    return base64.b64encode(into.getvalue()).decode("ascii")
