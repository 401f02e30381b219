"""What a probe promises: a look in, a few numbers for each member out; later, those numbers in, a measurement out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from liebig.core.evidence import Measurement
from liebig.probes.look import Look, SeenWeight


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What one probe read of one member at one look: `values` float64 [n], about the layers `names`."""

    step: int
    names: tuple[str, ...]
    values: NDArray[np.float64]


class Probe(ABC):
    """One kind of measurement. Concrete probes are frozen, and hold settings only: what was read is handed back to them."""

    @abstractmethod
    def names(self, look: Look) -> tuple[str, ...]:
        """The layers or tensors that the numbers of this look speak of, in order."""

    @abstractmethod
    def read(self, look: Look) -> Tensor | None:
        """Numbers [K, n] on the device, without waiting for it; None when the look does not show what this probe reads."""

    @abstractmethod
    def measurement(self, readings: Sequence[Reading]) -> Measurement | None:
        """All that was read of one member, told. `readings` are in order of their steps, at least one."""


def matrices(look: Look) -> tuple[SeenWeight, ...]:
    """The weights of a look that are matrices or more: biases and scales are left out."""
    return tuple(weight for weight in look.weights if weight.value.dim() >= 3)


def whole_norms(tensors: Sequence[Tensor], weights: Sequence[SeenWeight]) -> Tensor:
    """`member_norms` of values, gradients or changes of `weights`, scaled to the whole of those that are shown in part."""
    norms = member_norms(tensors)
    if all(weight.shown == 1.0 for weight in weights):
        return norms
    return norms / torch.tensor([weight.shown for weight in weights], device=norms.device).sqrt()


def member_norms(tensors: Sequence[Tensor]) -> Tensor:
    """Norm of each of L tensors [K, ...] for each member, float32 [K, L]."""
    if tensors[0].shape[0] == 1:
        return torch.stack(torch._foreach_norm(list(tensors))).float()[None, :]
    return torch.stack([torch.linalg.vector_norm(each.flatten(1), dim=1, dtype=torch.float32) for each in tensors], 1)
