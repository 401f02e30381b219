"""Random convolutions with a linear head.

Does: convolves each sequence with 84 fixed patterns of nine steps at many widths, over random channels; the share of steps at
  which a pattern answers above a threshold is one number, thousands of them enter a ridge regression. Nothing but the ridge
  and the thresholds is learnt.
Helps: sequences with a class each, from tens to a few thousand of them: seconds of work, and hard to beat.
Misleads: what sets sequences apart by size rather than shape; forecasts.
Source: Dempster, Schmidt & Webb 2021, "MiniRocket", arXiv:2012.08791 (patterns, widths, thresholds from quantiles); Dempster,
  Petitjean & Webb 2020, "ROCKET", arXiv:1910.13051.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from liebig.classical.challenger import Answerer, Challenger, Question, Shape, as_predictions
from liebig.classical.filling import Values, filled, lengths_of
from liebig.classical.ridge import Solution, solved
from liebig.classical.storing import Stored
from liebig.classical.table import ClassicalTable
from liebig.core.arrays import Predictions, Reals

_TAPS: Final = 9
_PATTERNS: Final = tuple(combinations(range(_TAPS), 3))
_MOST_WIDTHS: Final = 16
_MOST_CHANNELS: Final = 9
_PENALTIES: Final = tuple(float(each) for each in np.logspace(-2, 5, 12))
_TEMPERATURES: Final = tuple(float(each) for each in np.logspace(-1, 1.5, 24))
#: Values that one piece of work holds.
_PIECE: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Rocket(Challenger):
    """`numbers` are made of each sequence, about."""

    name: str = "rocket"
    title: str = "random convolutions, linear head"
    rows_cap: int = 4_000
    numbers: int = 8_000

    def predicted_seconds(self, shape: Shape) -> float:
        rows = min(shape.rows, self.rows_cap)
        return 0.3 + 4e-3 * rows + 2e-9 * rows**3

    def learn(
        self, table: ClassicalTable, target: Reals, question: Question, seed: int, weights: Reals | None
    ) -> Answerer:
        if table.sequences is None:
            raise ValueError("random convolutions need sequences")
        bank = _bank(table.sequences, self.numbers, seed)
        numbers = bank.numbers_of(table.sequences)
        mean, spread = numbers.mean(axis=0), np.maximum(numbers.std(axis=0), 1e-2)
        inputs = ((numbers - mean) / spread).astype(np.float64)
        present = np.unique(target) if question.kind.is_classification else np.zeros(0)
        wanted = _wanted(target, present)
        solutions = solved(inputs, wanted, [each * len(target) for each in _PENALTIES])
        errors = [float(np.square(each.left_out - wanted).mean()) for each in solutions]
        best = solutions[int(np.argmin(errors))]
        sharpness = _sharpness(best, target, present) if len(present) else 1.0
        linear = _Linear(mean, spread, best.weights.astype(np.float32), best.bias.astype(np.float32))
        return FittedRocket(bank, linear, present.astype(np.int64), sharpness, question)


def _wanted(target: Reals, present: NDArray[np.float64]) -> Reals:
    """1 for the class of a row and -1 for every other, [rows, classes]; numbers as they are, [rows, outputs]."""
    if not len(present):
        return target if target.ndim == 2 else target[:, None]
    return np.where(target[:, None] == present[None], 1.0, -1.0)


def _sharpness(solution: Solution, target: Reals, present: NDArray[np.float64]) -> float:
    """What answers are multiplied by before they become probabilities: what suits those for rows that were not seen."""
    own = np.searchsorted(present, target)
    losses = []
    for each in _TEMPERATURES:
        scaled = each * solution.left_out
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        logarithm = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        losses.append(-float(logarithm[np.arange(len(own)), own].mean()))
    return _TEMPERATURES[int(np.argmin(losses))]


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    """The head: numbers are standardised by `mean` and `spread` [numbers], then weighed."""

    mean: Values
    spread: Values
    weights: Values
    bias: Values

    def of(self, numbers: Values) -> Values:
        return np.asarray(((numbers - self.mean) / self.spread) @ self.weights + self.bias, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Bank:
    """Patterns at several `widths`: `channels` [widths * 84, channels] says which channels each reads, `thresholds` float32 [widths *
    84, thresholds of each]. Channels are standardised by `mean` and `spread` [channels]."""

    mean: Values
    spread: Values
    widths: tuple[int, ...]
    channels: NDArray[np.uint8]
    thresholds: Values

    def numbers_of(self, sequences: Values) -> Values:
        """Float32 [rows, numbers]."""
        lengths = lengths_of(sequences)
        whole = ((filled(sequences) - self.mean) / self.spread).astype(np.float32)
        rows = max(1, _PIECE // (len(_PATTERNS) * whole.shape[1]))
        order = np.argsort(lengths, kind="stable")  # those of one length together: little is computed behind an end
        found = np.empty((len(whole), self.thresholds.size), dtype=np.float32)
        for start in range(0, len(whole), rows):
            own = order[start : start + rows]
            steps = int(lengths[own].max())
            found[own] = self._piece(whole[own, :steps], lengths[own])
        return found

    def _piece(self, values: Values, lengths: NDArray[np.int64]) -> Values:
        there = torch.from_numpy(np.arange(values.shape[1])[None] < lengths[:, None])
        x = torch.from_numpy(np.ascontiguousarray((values * there.numpy()[:, :, None]).transpose(0, 2, 1)))
        count = torch.from_numpy(lengths.astype(np.float32))[:, None]
        shares = []
        for number, width in enumerate(self.widths):
            part = slice(number * len(_PATTERNS), (number + 1) * len(_PATTERNS))
            answers = answered(x, self.channels[part], width)
            answers.masked_fill_(~there[:, None], float("-inf"))
            limits = torch.from_numpy(self.thresholds[part])
            for each in limits.unbind(1):
                shares.append((answers > each[None, :, None]).sum(dim=2, dtype=torch.float32) / count)
        return torch.cat(shares, dim=1).numpy()


def patterns() -> torch.Tensor:
    """The 84 patterns, float32 [84, 9]: 2 at three places, -1 at the other six."""
    kernels = torch.full((len(_PATTERNS), _TAPS), -1.0)
    for row, places in enumerate(_PATTERNS):
        kernels[row, list(places)] = 2.0
    return kernels


def answered(x: torch.Tensor, channels: NDArray[np.uint8], width: int) -> torch.Tensor:
    """What the patterns answer at each step, [rows, 84, steps], for `x` [rows, channels, steps]."""
    kernels = patterns()[:, None, :] * torch.from_numpy(channels.astype(np.float32))[:, :, None]
    return functional.conv1d(x, kernels, None, 1, (_TAPS // 2) * width, width)


def _bank(sequences: Values, numbers: int, seed: int) -> _Bank:
    """Widths from 1 to what the longest sequence holds, channels at random, thresholds where the answers for some of the sequences
    lie."""
    random = np.random.default_rng([seed, 0x20C7])
    lengths = lengths_of(sequences)
    known = sequences[np.arange(sequences.shape[1])[None] < lengths[:, None]]
    mean = np.nan_to_num(np.nanmean(known, axis=0)).astype(np.float32)
    spread = np.nan_to_num(np.nanstd(known, axis=0), nan=1.0).astype(np.float32)
    spread[spread < 1e-6] = 1.0
    usual = float(np.median(lengths))
    most = max(0.0, np.log2(max(usual - 1, 1) / (_TAPS - 1)))
    widths = tuple(sorted({int(2**each) for each in np.linspace(0, most, _MOST_WIDTHS)}))
    channels = sequences.shape[2]
    reading = np.zeros((len(widths) * len(_PATTERNS), channels), dtype=np.uint8)
    for chosen in reading:
        count = int(2 ** random.uniform(0, np.log2(min(channels, _MOST_CHANNELS) + 1)))
        chosen[random.choice(channels, min(count, channels), replace=False)] = 1
    each = max(1, numbers // len(reading))
    thresholds = np.empty((len(reading), each), dtype=np.float32)
    whole = ((filled(sequences) - mean) / spread).astype(np.float32)
    shares = (np.arange(1, len(reading) * each + 1) * ((np.sqrt(5) + 1) / 2)) % 1  # evenly spread, never in step
    some = random.choice(len(whole), min(len(whole), 12), replace=False)
    for number, width in enumerate(widths):
        part = slice(number * len(_PATTERNS), (number + 1) * len(_PATTERNS))
        answers = [
            answered(torch.from_numpy(np.ascontiguousarray(whole[i, : lengths[i]].T))[None], reading[part], width)[
                0
            ].numpy()
            for i in some
        ]
        for offset in range(len(_PATTERNS)):
            row = part.start + offset
            pick = answers[int(random.integers(len(some)))][offset]
            thresholds[row] = np.quantile(pick, shares[row * each : (row + 1) * each])
    return _Bank(mean, spread, widths, reading, thresholds)


@dataclass(frozen=True, slots=True, eq=False)
class FittedRocket(Answerer):
    """`present` are the classes that were seen; `sharpness` makes answers into probabilities."""

    kind: ClassVar[str] = "rocket"
    bank: _Bank
    linear: _Linear
    present: NDArray[np.int64]
    sharpness: float
    question: Question

    def predict(self, table: ClassicalTable) -> Predictions:
        if table.sequences is None:
            raise ValueError("random convolutions need sequences")
        answers = self.linear.of(self.bank.numbers_of(table.sequences))
        if not self.question.kind.is_classification:
            return answers[:, 0] if answers.shape[1] == 1 else answers
        scaled = self.sharpness * answers.astype(np.float64)
        shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return as_predictions(shares / shares.sum(axis=1, keepdims=True), self.present, self.question)

    def stored(self) -> Stored:
        plain = {**self.question.plain(), "widths": list(self.bank.widths), "sharpness": self.sharpness}
        arrays: dict[str, NDArray[Any]] = {
            "mean": self.bank.mean, "spread": self.bank.spread, "channels": self.bank.channels,
            "thresholds": self.bank.thresholds, "numbers.mean": self.linear.mean, "numbers.spread": self.linear.spread,
            "weights": self.linear.weights, "bias": self.linear.bias, "present": self.present,
        }  # fmt: skip
        return Stored(self.kind, plain, arrays)

    @classmethod
    def from_stored(cls, stored: Stored) -> FittedRocket:
        own, plain = stored.arrays, stored.plain
        widths = tuple(int(each) for each in plain["widths"])
        bank = _Bank(own["mean"], own["spread"], widths, own["channels"], own["thresholds"])
        linear = _Linear(own["numbers.mean"], own["numbers.spread"], own["weights"], own["bias"])
        return FittedRocket(bank, linear, own["present"], float(plain["sharpness"]), Question.from_plain(plain))
