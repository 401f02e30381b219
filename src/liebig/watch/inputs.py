"""The rows that go in: their scales, and whether rows of training come again in evaluation."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor

from liebig.core.evidence import InputScales, PartScales, SharedRows

_MOST_FEATURES: Final = 4096
_MOST_ROWS: Final = 256  # of a batch
_ENTRIES: Final = 256  # of a row that its hash is of
_MOST_HASHES: Final = 200_000
_LIKE_EACH_OTHER: Final = 0.02  # of the rows of one batch: more, and rows are too alike to say anything
_LEAST_EVALUATED: Final = 20
_LEAST_EXPECTED: Final = 5.0  # hits that would have been seen, before their absence says anything
_FACTOR: Final = 6364136223846793005


def tensors_in(given: Any, depth: int = 0) -> Iterator[Tensor]:
    """Tensors in arguments or answers: tuples, lists, dicts and records of them."""
    if isinstance(given, Tensor):
        yield given
    elif depth < 4:
        if isinstance(given, Mapping):
            for value in given.values():
                yield from tensors_in(value, depth + 1)
        elif isinstance(given, list | tuple):
            for value in given:
                yield from tensors_in(value, depth + 1)


def batch_of(args: Any, kwargs: Any) -> Tensor | None:
    """The tensor that is taken for the batch of inputs: the first with real numbers, else the first; rows first."""
    found = [each for each in (*tensors_in(args), *tensors_in(kwargs)) if each.dim() > 0 and each.shape[0] > 0]
    return next((each for each in found if each.is_floating_point() and each.dim() > 1), found[0] if found else None)


def hashes(batch: Tensor) -> list[int]:
    """A hash of each row [B]: exact, the same wherever in a batch the row stands."""
    rows = batch.detach()[:_MOST_ROWS]
    rows = rows.reshape(rows.shape[0], -1)
    rows = rows[:, :: max(1, -(-rows.shape[1] // _ENTRIES))]
    if rows.dtype in {torch.bfloat16, torch.float16}:
        rows = rows.float()
    if rows.is_complex():
        rows = torch.view_as_real(rows.contiguous()).reshape(rows.shape[0], -1)
    if rows.dtype == torch.float32:
        codes = rows.contiguous().view(torch.int32).long()
    elif rows.dtype == torch.float64:
        codes = rows.contiguous().view(torch.int64)
    else:
        codes = rows.long()
    factors, others = _factors(codes.shape[1], codes.device)
    mixed = codes * factors
    return (mixed ^ (mixed >> 29)).mul_(others).sum(dim=1).tolist()


@functools.lru_cache(maxsize=8)
def _factors(count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Odd 64-bit numbers, always the same, forwards and backwards."""
    factors = ((torch.arange(1, count + 1) * _FACTOR) | 1).to(device)
    return factors, factors.flip(0)


@dataclass
class Scales:
    """Mean, spread and reach of each feature or channel, over the batches of the looks. On the device until asked."""

    sums: list[tuple[int, Tensor]] = field(default_factory=list)

    def saw(self, batch: Tensor) -> None:
        """Adds one batch [B, F] or [B, channels, ...]."""
        if not batch.is_floating_point() or batch.dim() < 2 or batch.shape[1] > _MOST_FEATURES or batch.numel() == 0:
            return
        values = batch.detach()[:_MOST_ROWS]
        if values.dim() > 2:
            features = values.shape[1] if values.dim() >= 4 else values.shape[-1]
            values = (
                values.transpose(1, -1).reshape(-1, features) if values.dim() >= 4 else values.reshape(-1, features)
            )
            values = values[:: max(1, values.shape[0] // 4096)]
        if self.sums and self.sums[0][1].shape[1] != values.shape[1]:
            return
        values = values.float()
        moments = torch.stack([values.mean(dim=0), values.square().mean(dim=0), values.abs().amax(dim=0)])
        self.sums.append((values.shape[0], moments))

    def told(self) -> InputScales | None:
        """None where no batch of real numbers was seen."""
        if not self.sums:
            return None
        mean, spread, reach = self._pooled()
        return InputScales(_numbered(len(mean)), tuple(mean.tolist()), tuple(spread.tolist()), tuple(reach.tolist()))

    def beside(self, others: Scales) -> PartScales | None:
        """These rows, of training, beside others that judge; None where either were not seen, or they have other features."""
        if not self.sums or not others.sums or self.sums[0][1].shape != others.sums[0][1].shape:
            return None
        (mean, spread, _), (other_mean, other_spread, _) = self._pooled(), others._pooled()
        return PartScales(
            _numbered(len(mean)), tuple(mean.tolist()), tuple(spread.tolist()), tuple(other_mean.tolist()),
            tuple(other_spread.tolist()), self.rows, others.rows,
        )  # fmt: skip

    @property
    def rows(self) -> int:
        """Rows seen, or places in them where rows have several."""
        return sum(count for count, _ in self.sums)

    def _pooled(self) -> tuple[Tensor, Tensor, Tensor]:
        """Mean, standard deviation and reach of each feature, float64 [F]."""
        moments = torch.stack([each.double().cpu() for _, each in self.sums])
        weights = torch.tensor([count / self.rows for count, _ in self.sums], dtype=torch.float64)[:, None]
        mean, square = (moments[:, 0] * weights).sum(dim=0), (moments[:, 1] * weights).sum(dim=0)
        spread = (square - mean.square()).clamp(min=0).sqrt()
        # Rounding leaves a little where nothing varies.
        spread = torch.where(spread <= 1e-4 * mean.abs(), torch.zeros_like(spread), spread)
        return mean, spread, moments[:, 2].amax(dim=0)


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(count))


@dataclass
class Rows:
    """Hashes of the rows seen in training and, pass by pass, in evaluation."""

    trained: set[int] = field(default_factory=set)
    repeated: int = 0
    counted: int = 0
    evaluated: list[list[int]] = field(default_factory=list)
    later: int = 0  # rows of training seen again in later looks, of
    seen_later: int = 0

    def trained_on(self, batch: Tensor) -> None:
        """Rows of one training batch."""
        if len(self.trained) > _MOST_HASHES:
            return
        own = hashes(batch)
        self.repeated += len(own) - len(set(own))
        self.counted += len(own)
        self.seen_later += len(own)
        self.later += sum(each in self.trained for each in own)
        self.trained.update(own)

    def evaluated_on(self, batch: Tensor) -> None:
        """Rows of one evaluated batch."""
        if sum(map(len, self.evaluated)) < _MOST_HASHES:
            self.evaluated.append(hashes(batch))

    def share(self, batch: Tensor) -> float:
        """The share of these rows that were trained on, as far as it was seen."""
        own = hashes(batch)
        return sum(each in self.trained for each in own) / len(own) if own else 0.0

    def told(self, training_rows: float) -> SharedRows | None:
        """Of the evaluated set that shares least: the share of its rows that were trained on.

        Only some training batches were hashed: of `training_rows` in all (0: not known) that is a share, and hits are
        scaled up by it. Sets are told apart by whether a pass had any hit at all. None where too few rows were compared, or
        rows are alike among themselves.
        """
        passes = [set(each) for each in self.evaluated]
        if not passes or not self.trained or sum(map(len, passes)) < _LEAST_EVALUATED:
            return None
        if self.repeated > _LIKE_EACH_OTHER * self.counted:
            return None
        covered = min(1.0, len(self.trained) / training_rows) if training_rows > 0 else math.nan
        if covered != covered:
            return None
        strange = [each for each in passes if not each & self.trained]
        if covered * sum(map(len, strange)) >= _LEAST_EXPECTED:
            return SharedRows(sum(map(len, strange)), 0.0, len(self.trained))
        shares = sorted((len(each & self.trained) / len(each), len(each)) for each in passes)
        least = shares[0][0]
        near = [(share, rows) for share, rows in shares if share <= least + 0.15]
        rows = sum(rows for _, rows in near)
        share = sum(share * rows for share, rows in near) / rows
        return SharedRows(rows, min(1.0, share / covered), len(self.trained))
