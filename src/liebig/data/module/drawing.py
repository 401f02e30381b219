"""The rows of an epoch as a user's own sampler draws them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import torch
from torch import Tensor
from torch.utils.data import WeightedRandomSampler

from liebig.core.errors import UserError
from liebig.nets.surgery import seeded

#: Draws of an epoch, at most.
_MOST: Final = 5_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """`sampler` is the user's, or the user's batch sampler where `batches`. `rows` are the row numbers that it draws from, int64
    in order; they are numbered 0, 1, ... in what is drawn."""

    sampler: Any
    batches: bool
    rows: Tensor
    name: str

    def __call__(self, seed: int, epoch: int) -> Tensor:
        """The rows of one epoch, int64 [draws]: the same for the same seed and epoch, and the user's sampler stays as it is."""
        drawn, _ = _drawn(self.sampler, self.batches, self.name, seed, epoch)
        return torch.searchsorted(self.rows, drawn[torch.isin(drawn, self.rows)])


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """What a sampler was seen to do: how it draws, how many draws an epoch has, the sizes of its batches (empty where it draws
    single rows), and whether it draws each of its rows once."""

    drawing: Drawing
    draws: int
    sizes: tuple[int, ...]
    is_once: bool


def sampled(sampler: Any, batches: bool, length: int, name: str) -> Sampled:
    """See how `sampler` draws from a data set of `length` rows. Raises UserError for one that draws nothing or other rows."""
    title = f"the {'batch ' if batches else ''}sampler of {name} ({type(sampler).__name__})"
    (first, sizes), (second, _) = (_drawn(sampler, batches, title, 0, epoch) for epoch in range(2))
    if not len(first) or not len(second):
        raise UserError(f"{title} must draw rows, however it draws none")
    low, high = int(torch.cat([first, second]).min()), int(torch.cat([first, second]).max())
    if low < 0 or high >= length:
        raise UserError(f"{title} must draw rows from 0..{length - 1}, however it draws rows from {low} to {high}")
    once, again = torch.unique(first), torch.unique(second)
    rows = torch.arange(length)
    if torch.equal(once, again) and len(once) == len(first):
        rows = once
    elif isinstance(sampler, WeightedRandomSampler) and len(sampler.weights) == length:
        rows = torch.as_tensor(sampler.weights).nonzero().flatten()
    return Sampled(Drawing(sampler, batches, rows, title), len(first), sizes, len(once) == len(first))


def _drawn(sampler: Any, batches: bool, title: str, seed: int, epoch: int) -> tuple[Tensor, tuple[int, ...]]:
    """The rows of an epoch, and the sizes of its batches where there are some. Raises UserError where the sampler fails."""
    with seeded(seed):
        try:
            drawn = list(islice(iter(_copied(sampler, seed, epoch)), _MOST + 1))
            if len(drawn) > _MOST:
                raise UserError(f"{title} must come to an end, however it draws more than {_MOST:,} times an epoch")
            sizes = tuple(len(batch) for batch in drawn) if batches else ()
            rows = [int(row) for batch in drawn for row in batch] if batches else [int(row) for row in drawn]
        except UserError:
            raise
        except Exception as error:  # the user's own code runs here
            raise UserError(f"{title} failed to draw rows ({type(error).__name__}: {error})") from error
    return torch.tensor(rows, dtype=torch.int64), sizes


def _copied(sampler: Any, seed: int, epoch: int) -> Any:
    """A copy of a sampler, so that the user's own is not moved on; random numbers of its own begin at `seed`."""
    copied = copy.copy(sampler)
    if isinstance(getattr(copied, "generator", None), torch.Generator):
        copied.generator = torch.Generator(copied.generator.device).manual_seed(seed)
    if callable(getattr(copied, "set_epoch", None)):
        copied.set_epoch(epoch)
    elif isinstance(getattr(copied, "epoch", None), int):
        copied.epoch = epoch
    inner = getattr(copied, "sampler", None)
    if inner is not None and hasattr(inner, "__iter__"):
        copied.sampler = _copied(inner, seed, epoch)
    return copied
