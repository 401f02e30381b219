"""Targets that are several for each row: the words of a sentence, the pixels of a picture, several numbers."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor

from liebig.core.errors import UserError
from liebig.core.places import Placed, Places
from liebig.core.task import TaskKind
from liebig.data.module.form import Form, Says
from liebig.data.module.losses import ignored_by, is_for_classes, says_of, takes_codes

#: What torch's losses for classes leave out where nothing else is said.
_IGNORED: Final = -100


def form_of_places(loss: Any, answer: Tensor, target: Tensor, targets: Tensor, ignore_index: int | None) -> Form:
    """What is learnt by a network that answers `answer` to a first batch with `target` [B, *places]; `targets` [rows, *places] are
    all. Whole targets beside one answer for each class are classes; 0 and 1 beside one answer for each target are yes and no where
    the loss is for classes; the rest are numbers. `ignore_index` is the label of a place that has none; None where the loss says it.

    Raises UserError where they do not fit.
    """
    if not len(answer) == len(target):
        raise UserError(
            f"the network must answer one row for each row of the batch ({len(target)}), however an answer of shape "
            f"{tuple(answer.shape)} came"
        )
    shape = tuple(targets.shape[1:])
    dim = _class_dim(answer, target)
    if dim is not None and not targets.dtype.is_floating_point:
        return _classes(loss, answer, targets, dim, ignore_index)
    if answer.numel() != target.numel():
        raise UserError(
            f"the network must answer one value, or one for each class, for each target of a row, however it answers "
            f"{tuple(answer.shape)} for targets of shape {tuple(target.shape)}"
        )
    if not bool(targets.double().isfinite().all()):
        raise UserError(f"targets must be finite, however {int((~targets.double().isfinite()).sum())} of them are not")
    if is_for_classes(loss) and bool(((targets == 0) | (targets == 1)).all()):
        share = float(targets.double().mean())
        if not 0.0 < share < 1.0:
            raise UserError(f"at least two classes are needed, however every target is {share:g}")
        places = Places(Placed.BITS, shape, None, (1.0 - share, share))
        return Form(
            TaskKind.PLACES,
            says_of(loss, answer.reshape(len(answer), -1, 1)),
            1,
            2,
            targets.dtype,
            shape,
            False,
            places,
        )
    return Form(TaskKind.PLACES, Says.NUMBERS, 1, 1, targets.dtype, shape, False, Places(Placed.NUMBERS, shape))


def _ignored(loss: Any, targets: Tensor) -> int:
    """The label of a place that has none: as the loss says it; else the one that is below zero, where there is a single one."""
    said = ignored_by(loss)
    if said is not None:
        return said
    below = torch.unique(targets[targets < 0]).tolist()
    return int(below[0]) if len(below) == 1 else _IGNORED


def _class_dim(answer: Tensor, target: Tensor) -> int | None:
    """The dimension of an answer in which the classes stand: the last, or, as torch's cross-entropy has it, the second."""
    if answer.ndim != target.ndim + 1:
        return None
    fits = [
        dim for dim in (answer.ndim - 1, 1) if (*answer.shape[:dim], *answer.shape[dim + 1 :]) == tuple(target.shape)
    ]
    return fits[0] if fits else None


def _classes(loss: Any, answer: Tensor, targets: Tensor, dim: int, ignore_index: int | None) -> Form:
    if answer.shape[1] == answer.shape[dim] and takes_codes(loss):
        dim = 1  # as many places as classes: torch's own losses read the second dimension
    shape, classes = tuple(targets.shape[1:]), int(answer.shape[dim])
    ignored = _ignored(loss, targets) if ignore_index is None else ignore_index
    known = targets[targets != ignored]
    if not len(known):
        raise UserError(f"targets must have labels, however every one is {ignored}, which the loss leaves out")
    low, high = int(known.min()), int(known.max())
    if low < 0 or high >= classes:
        hint = "; labels that begin at 1 need target - 1" if low == 1 and high == classes else ""
        raise UserError(
            f"labels must lie in 0..{classes - 1}, since the network answers {classes} classes, however labels from {low} to "
            f"{high} came{hint}"
        )
    if low == high:
        raise UserError(f"at least two classes are needed, however every label is {low}")
    counts = torch.bincount(known.reshape(-1), minlength=classes).double()
    shares = tuple((counts / counts.sum()).tolist())
    places = Places(Placed.CLASSES, shape, ignored if bool((targets == ignored).any()) else None, shares)
    says = says_of(loss, answer.movedim(dim, -1))
    return Form(TaskKind.PLACES, says, classes, classes, targets.dtype, shape, False, places, dim)
