"""Data of the benchmark: three parts of a scikit-learn set, and the edits that make them sick.

`hold` is the clean hold-out: it goes through the same scaling as the network's other inputs, and no fault touches it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine, make_blobs, make_circles
from torch import Tensor

#: A fifth is held out first; the rest is split 75/25.
_HELD: Final = 0.2
_TRAIN: Final = 0.75


@dataclass(frozen=True, slots=True)
class Pair:
    """Rows of inputs and their targets."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def at(self, rows: Tensor) -> Pair:
        return Pair(self.x[rows], self.y[rows])


@dataclass(frozen=True, slots=True)
class Parts:
    """`outputs` is the number of classes, or of numbers to be answered; `classes` says which."""

    train: Pair
    valid: Pair
    hold: Pair
    outputs: int
    classes: bool

    def each(self, change: Callable[[Pair], Pair]) -> Parts:
        """All three parts changed alike: what belongs to the data and not to the fault."""
        return replace(self, train=change(self.train), valid=change(self.valid), hold=change(self.hold))


#: An edit takes the parts and a source of randomness of its own.
Edit = Callable[[Parts, torch.Generator], Parts]


@dataclass(frozen=True, slots=True)
class Data:
    """A set by name, and the edits made to it in order (scaling first)."""

    name: str = "digits"
    edits: tuple[Edit, ...] = ()

    def parts(self, seed: int) -> Parts:
        parts = _split(self.name, seed)
        generator = torch.Generator().manual_seed(10_000 + seed)
        for edit in self.edits:
            parts = edit(parts, generator)
        return parts


def _split(name: str, seed: int) -> Parts:
    x, y, outputs, classes = _raw(name)
    order = np.random.default_rng(seed).permutation(len(x))
    held = int(_HELD * len(x))
    cut = held + int(_TRAIN * (len(x) - held))
    rows = order[held:cut], order[cut:], order[:held]
    inputs = torch.tensor(x, dtype=torch.long if x.dtype.kind == "i" else torch.float32)
    target = torch.tensor(y, dtype=torch.long if classes else torch.float32)
    train, valid, hold = (Pair(inputs[part], target[part]) for part in rows)
    return Parts(train, valid, hold, outputs, classes)


@cache
def _raw(name: str) -> tuple[NDArray[np.generic], NDArray[np.generic], int, bool]:
    """Inputs, targets, outputs, and whether those are classes. Digits are in 0..1."""
    match name:
        case "digits":
            x, y = load_digits(return_X_y=True)
            return x / 16.0, y, 10, True
        case "circles":
            x, y = make_circles(1500, noise=0.1, factor=0.5, random_state=0)
            return x, y, 2, True
        case "blobs":
            x, y = make_blobs(1500, centers=4, cluster_std=2.0, random_state=1)
            return x, y, 4, True
        case "cancer":
            x, y = load_breast_cancer(return_X_y=True)
            return x, y, 2, True
        case "wine":
            x, y = load_wine(return_X_y=True)
            return x, y, 3, True
        case "diabetes":
            x, y = load_diabetes(return_X_y=True, scaled=False)
            return x, y, 1, False
        case "pixels":
            return _pixels()
        case _:
            raise ValueError(f"the data must be one of the benchmark's sets, however {name!r} came")


def _pixels() -> tuple[NDArray[np.generic], NDArray[np.generic], int, bool]:
    """Three rows of each picture as a sequence of four shades, each with the next shade of every place: [rows, 24] twice."""
    x, _ = load_digits(return_X_y=True)
    shades = np.minimum(x / 16.0 * 4.0, 3.0).astype(np.int64)[:, 16:41]
    return shades[:, :-1], shades[:, 1:], 4, True


# What belongs to the data: the same for all parts.


def standardised(parts: Parts, generator: torch.Generator) -> Parts:
    mean, spread = parts.train.x.mean(0), parts.train.x.std(0, correction=0)
    return parts.each(
        lambda pair: Pair(torch.where(spread > 1e-6, (pair.x - mean) / spread.clamp(min=1e-6), 0), pair.y)
    )


def times(factor: float) -> Edit:
    return lambda parts, generator: parts.each(lambda pair: Pair(pair.x * factor, pair.y))


def as_pictures(parts: Parts, generator: torch.Generator) -> Parts:
    return parts.each(lambda pair: Pair(pair.x.reshape(-1, 1, 8, 8), pair.y))


def as_sequences(parts: Parts, generator: torch.Generator) -> Parts:
    return parts.each(lambda pair: Pair(pair.x.reshape(-1, 8, 8), pair.y))


def inputs_as_targets(parts: Parts, generator: torch.Generator) -> Parts:
    return replace(parts.each(lambda pair: Pair(pair.x, pair.x)), outputs=parts.train.x.shape[1], classes=False)


def targets_as_columns(parts: Parts, generator: torch.Generator) -> Parts:
    return parts.each(lambda pair: Pair(pair.x, pair.y[:, None]))


def targets_as_bits(parts: Parts, generator: torch.Generator) -> Parts:
    """0 or 1 in a column, for one output and a binary cross-entropy."""
    return replace(parts.each(lambda pair: Pair(pair.x, pair.y.float()[:, None])), outputs=1)


def targets_one_hot(parts: Parts, generator: torch.Generator) -> Parts:
    return parts.each(lambda pair: Pair(pair.x, torch.nn.functional.one_hot(pair.y, parts.outputs).float()))


def standard_targets(parts: Parts, generator: torch.Generator) -> Parts:
    mean, spread = parts.train.y.mean(0), parts.train.y.std(0)
    return parts.each(lambda pair: Pair(pair.x, (pair.y - mean) / spread))


def targets_times(factor: float) -> Edit:
    return lambda parts, generator: parts.each(lambda pair: Pair(pair.x, (pair.y + 1.0) * factor))


def parity(parts: Parts, generator: torch.Generator) -> Parts:
    return replace(parts.each(lambda pair: Pair(pair.x, pair.y % 2)), outputs=2)


def sparse(share: float) -> Edit:
    """This share of the inputs is zero, for each row another."""

    def edit(parts: Parts, generator: torch.Generator) -> Parts:
        def change(pair: Pair) -> Pair:
            kept = torch.rand(pair.x.shape, generator=generator) >= share
            return Pair(pair.x * kept, pair.y)

        return parts.each(change)

    return edit


def as_tokens(parts: Parts, generator: torch.Generator) -> Parts:
    """Each pixel a token: its place and whether it is dark, half or light."""
    return parts.each(lambda pair: Pair((pair.x * 2.99).long().clamp(0, 2) + 3 * torch.arange(pair.x.shape[1]), pair.y))


def other_digits(parts: Parts, generator: torch.Generator) -> Parts:
    """Only the digits 0 to 4, for a network that was trained on all of them."""

    def keep(pair: Pair) -> Pair:
        return pair.at(pair.y < 5)

    return replace(parts.each(keep), outputs=5)


# Faults of the data: the hold-out stays clean.


def first_rows(rows: int) -> Edit:
    return lambda parts, generator: replace(parts, train=parts.train.at(torch.arange(rows)))


def few_valid(rows: int) -> Edit:
    return lambda parts, generator: replace(parts, valid=parts.valid.at(torch.arange(rows)))


def rare_class(share: float, label: int) -> Edit:
    """Of this class only the share is kept among the training rows, three rows at least."""

    def edit(parts: Parts, generator: torch.Generator) -> Parts:
        own = (parts.train.y == label).nonzero()[:, 0]
        kept = own[: max(3, round(share * len(own)))]
        others = (parts.train.y != label).nonzero()[:, 0]
        return replace(parts, train=parts.train.at(torch.cat([others, kept])))

    return edit


def rare_everywhere(share: float, label: int) -> Edit:
    """A class that is rare by nature, in all parts."""

    def edit(parts: Parts, generator: torch.Generator) -> Parts:
        def thin(pair: Pair) -> Pair:
            own = (pair.y == label).nonzero()[:, 0]
            others = (pair.y != label).nonzero()[:, 0]
            return pair.at(torch.cat([others, own[: max(10, round(share * len(own)))]]))

        return parts.each(thin)

    return edit


def random_labels(share: float) -> Edit:
    def edit(parts: Parts, generator: torch.Generator) -> Parts:
        y = parts.train.y.clone()
        hit = torch.rand(len(y), generator=generator) < share
        y[hit] = torch.randint(0, parts.outputs, (int(hit.sum()),), generator=generator)
        return replace(parts, train=Pair(parts.train.x, y))

    return edit


def shuffled_apart(parts: Parts, generator: torch.Generator) -> Parts:
    def shuffle(pair: Pair) -> Pair:
        return Pair(pair.x, pair.y[torch.randperm(len(pair), generator=generator)])

    return replace(parts, train=shuffle(parts.train), valid=shuffle(parts.valid))


def valid_from_train(parts: Parts, generator: torch.Generator) -> Parts:
    rows = torch.randperm(len(parts.train), generator=generator)[: len(parts.valid)]
    return replace(parts, valid=parts.train.at(rows))


def divided_as_integers(parts: Parts, generator: torch.Generator) -> Parts:
    """Pictures of whole numbers below 255, divided by it without a remainder: nothing is left, in any part."""
    return parts.each(lambda pair: Pair((pair.x * 254).long().div(255, rounding_mode="floor").float(), pair.y))


def copies_of_noise(columns: int) -> Edit:
    """A column of noise and its copies, joined to the others in each part."""

    def edit(parts: Parts, generator: torch.Generator) -> Parts:
        def join(pair: Pair) -> Pair:
            noise = torch.randn(len(pair), 1, generator=generator)
            return Pair(torch.cat([pair.x, noise.expand(-1, columns)], dim=1), pair.y)

        return parts.each(join)

    return edit


def training_from_elsewhere(parts: Parts, generator: torch.Generator) -> Parts:
    """The training rows come from another camera: inverted contrast on half the picture, an offset, less light."""
    x = parts.train.x.clone()
    half = x.shape[1] // 2
    x[:, :half] = 1.0 - x[:, :half]
    return replace(parts, train=Pair(0.6 * x + 0.4, parts.train.y))
