"""What a user's network answers and what its targets look like, beside the way in which the engine has both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

from liebig.core.errors import UserError
from liebig.core.places import Placed, Places
from liebig.core.task import TaskKind

_LEAST: Final = 1e-7


class Says(StrEnum):
    """What the numbers that a network answers mean."""

    LOGITS = "logits"
    LOGARITHMS = "logarithms of probabilities"
    PROBABILITIES = "probabilities"
    NUMBERS = "numbers"


@dataclass(frozen=True, slots=True)
class Form:
    """`width` is the answer's last dimension, 0 where it has none ([B]). `trailing` is the target's shape after the rows,
    `dtype` its type; `one_hot` says that it holds one column for each of `classes`. `places` are those of a target that is
    several for a row: then `width` is the number of classes (1 for numbers, and for yes or no), which stand in dimension
    `class_dim` of the answer."""

    kind: TaskKind
    says: Says
    width: int
    classes: int
    dtype: torch.dtype
    trailing: tuple[int, ...]
    one_hot: bool = False
    places: Places | None = None
    class_dim: int = -1

    def canonical(self, answer: Any) -> Tensor:
        """The answer [B, outputs] as the engine has it: logits of all classes, the logit of the second of two, or the number; of
        several places [B, places, outputs]."""
        values = tensor_of(answer).float()
        if self.places is not None:
            return self._by_place(values, self.places)
        values = values.unsqueeze(-1) if values.ndim == 1 else values
        if self.kind is TaskKind.REGRESSION:
            return values
        if self.says is Says.PROBABILITIES:
            values = values.clamp(_LEAST, 1.0)
            values = (
                torch.log(values) if self.width > 1 else torch.log(values) - torch.log1p(-values.clamp(max=1 - _LEAST))
            )
        if self.kind is TaskKind.BINARY and self.width == 2:
            return values[:, 1:] - values[:, :1]
        return values

    def _by_place(self, values: Tensor, places: Places) -> Tensor:
        if places.kind is Placed.CLASSES:
            values = values.movedim(self.class_dim, -1).flatten(1, -2)
            return values.clamp(_LEAST, 1.0).log() if self.says is Says.PROBABILITIES else values
        values = values.reshape(len(values), -1, 1)
        if places.kind is Placed.BITS and self.says is Says.PROBABILITIES:
            values = values.clamp(_LEAST, 1 - _LEAST).logit()
        return values

    def restored(self, target: Tensor) -> Tensor:
        """A target [B] as the engine has it (codes or numbers; of several places [B, places]), as the user's loss wants it."""
        if self.one_hot:
            return functional.one_hot(target.long(), self.classes).to(self.dtype)
        return target.to(self.dtype).reshape(len(target), *self.trailing)


def tensor_of(answer: Any) -> Tensor:
    """The tensor that counts as a network's answer: itself, its `logits`, or the first of several."""
    if isinstance(answer, Tensor):
        return answer
    logits = answer.get("logits") if isinstance(answer, Mapping) else getattr(answer, "logits", None)
    if isinstance(logits, Tensor):
        return logits
    values = answer.values() if isinstance(answer, Mapping) else answer
    if isinstance(answer, (tuple, list, Mapping)):
        for each in values:
            if isinstance(each, Tensor) and each.ndim > 0:
                return each
    raise UserError(f"the network must answer with a tensor, however {type(answer).__name__} came")
