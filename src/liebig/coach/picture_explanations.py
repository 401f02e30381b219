"""What the report shows of pictures: those answered worst, labels that are doubted, copies, what is taken for what, augmentation."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from liebig.core.arrays import Predictions, Reals, Rows
from liebig.core.evidence import AugmentedPictures, Confusion, NearDuplicates, SuspectLabels, WorstPictures
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
_SUSPECTS: Final = 24
_GROUPS: Final = 12  # of pictures that are the same
_OF_A_GROUP: Final = 6
_LEAST_ASKED: Final = 40
_RIGHT: Final = 0.5
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


def suspect_labels(task: Task[PictureData], answered: Sequence[tuple[Rows, Predictions]]) -> SuspectLabels | None:
    """The labels that confident learning doubts: the network, which has not learnt them, gives another class more than pictures of
    that class get on average, and more than the label's. `answered` are rows with what was predicted for them out of sample; a
    row that was answered several times counts with the mean. None for numbers, where too few were asked, and where answers as sure
    as these are wrong as often as right: such a network has no right to doubt.

    Source: Northcutt, Jiang & Chuang 2021, arXiv:1911.00068, equations 1 and 2; ranked by the normalised margin (section 3.2).
    """
    if not task.kind.is_classification or not answered:
        return None
    rows, means = _mean_answers(task, answered)
    if len(rows) < _LEAST_ASKED:
        return None
    labels = task.target[rows].astype(np.int64)
    own = means[np.arange(len(rows)), labels]
    every = range(means.shape[1])
    sureness = np.array([means[labels == code, code].mean() if (labels == code).any() else 2.0 for code in every])
    others = np.where(means >= sureness, means, -1.0)
    others[np.arange(len(rows)), labels] = -1.0
    rather = others.argmax(axis=1)
    margins = others[np.arange(len(rows)), rather] - own
    chosen = [i for i in np.argsort(-margins, kind="stable")[:_SUSPECTS] if margins[i] > 0]
    if not chosen:
        return None
    sure = means.max(axis=1) >= min(others[i, rather[i]] for i in chosen)
    agreed = float((means.argmax(axis=1) == labels)[sure].mean())
    if agreed <= _RIGHT:
        return None
    return SuspectLabels(
        tuple(task.data.names[rows[i]] for i in chosen), tuple(task.classes[labels[i]] for i in chosen),
        tuple(task.classes[rather[i]] for i in chosen), tuple(float(margins[i]) for i in chosen),
        tuple(as_png(task.data.pixels[rows[i]]) for i in chosen), len(rows), agreed,
    )  # fmt: skip


def _mean_answers(task: Task[Any], answered: Sequence[tuple[Rows, Predictions]]) -> tuple[Rows, Reals]:
    """The rows that were answered, once each, with the mean of their probabilities, float64 [n, classes]."""
    every = np.concatenate([rows for rows, _ in answered])
    given = [each if each.ndim == 2 else np.stack([1 - each, each], axis=1) for _, each in answered]
    rows, place, count = np.unique(every, return_inverse=True, return_counts=True)
    total = np.zeros((len(rows), len(task.classes)))
    np.add.at(total, place, np.concatenate(given))
    return rows, total / count[:, None]


def near_duplicates(task: Task[PictureData], is_opened: bool) -> NearDuplicates | None:
    """Pictures that are the same as others, or nearly, those with different labels first. Those of the sealed part are shown where
    the seal `is_opened`. None where all differ."""
    if task.groups is None:
        return None
    rows = np.concatenate([task.parts.work, task.parts.sealed]) if is_opened else task.parts.work
    sealed = set(task.parts.sealed.tolist())
    together: dict[int, list[int]] = {}
    for row in np.sort(rows).tolist():
        together.setdefault(int(task.groups[row]), []).append(row)
    groups = [each for each in together.values() if len(each) > 1]
    if not groups:
        return None

    def label(row: int) -> str:
        value = float(task.target[row])
        return task.classes[int(value)] if task.kind.is_classification else f"{value:.4g}"

    differ = [each for each in groups if len({label(row) for row in each}) > 1]
    alike = [each for each in groups if len({label(row) for row in each}) == 1]
    shown = [_each_label_first(each, label)[:_OF_A_GROUP] for each in [*differ, *alike][:_GROUPS]]
    return NearDuplicates(
        tuple(tuple(task.data.names[row] for row in each) for each in shown),
        tuple(tuple(label(row) for row in each) for each in shown),
        tuple(tuple(row in sealed for row in each) for each in shown),
        tuple(tuple(as_png(task.data.pixels[row]) for row in each) for each in shown), len(groups), len(differ),
    )  # fmt: skip


def _each_label_first(group: Sequence[int], label: Callable[[int], str]) -> list[int]:
    """The rows of a group, one of each label before the others: a large group is not shown whole."""
    first = {label(row): row for row in reversed(group)}
    return [*sorted(first.values()), *(row for row in group if row not in first.values())]


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
